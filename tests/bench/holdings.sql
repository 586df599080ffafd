create table holder (
    unit text collate "C" primary key,
    holder text not null,
    place text not null,
    hand_overs bigint not null
) with (fillfactor = 60);
