create table box (unit text collate "C" primary key, region text not null);
