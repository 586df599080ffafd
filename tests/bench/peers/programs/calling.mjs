// Callers of a store: each sends its next command when the last one is answered.
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";

export const WARM_UP = 1.0;

// Honours NODE_PATH, which an import does not: the packages live beside no program.
export const load = createRequire(import.meta.url);

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What `callers` promises at a time reach, each calling `act` again and again. */
export async function called(callers, seconds, act) {
  const begun = performance.now() + WARM_UP * 1000;
  const ended = begun + seconds * 1000;
  const times = [];
  const call = async () => {
    let now = performance.now();
    while (now < ended) {
      await act();
      const last = now;
      now = performance.now();
      if (now >= begun && now < ended) times.push(now - last);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  times.sort((a, b) => a - b);
  const percentile = (p) => times[Math.floor((times.length - 1) * p)];
  return { rate: times.length / seconds, p50_ms: percentile(0.5), p99_ms: percentile(0.99) };
}

/**
 * Events a second by the committed position, from one commit to another some `seconds` later.
 * It is watched to the commit that ends the time, or to `head` where that comes first.
 */
export async function committedRate(position, head, seconds) {
  const next = async () => {
    const known = await position();
    let now = await position();
    while (now === known && now < head) {
      await pause(20);
      now = await position();
    }
    return { at: performance.now() / 1000, position: now };
  };
  await pause(WARM_UP * 1000);
  const before = await next();
  let after = before;
  while (after.at - before.at < seconds && after.position < head) after = await next();
  return (after.position - before.position) / (after.at - before.at);
}

export const say = (result) => console.log(JSON.stringify(result));
