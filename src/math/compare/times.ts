/** Times of day against times of day: `20:34` is `8:34 p.m.`; without "a.m." or "p.m." on one side, the half is open. */
import { type Call, call, isCall, type Node } from "../ast.js";
import { toNumber } from "../value/rational.js";
import { different, equal, type Verdict } from "./verdict.js";

export const isTime = (node: Node): node is Call => isCall(node, "time");

export function compareTimes(gold: Call, prediction: Node): Verdict {
  if (!isTime(prediction)) return different("time");
  const [a, b] = [secondsOf(gold), secondsOf(prediction)];
  const period = (a.open && b.marked) || (a.marked && b.open) ? 12 * 3600 : 24 * 3600;
  return (a.seconds - b.seconds) % period === 0 ? equal("time") : different("time");
}

/** The seconds since midnight; marked: it says which half of the day; open: it may be either. */
function secondsOf(time: Call): { seconds: number; marked: boolean; open: boolean } {
  const [hours, minutes, seconds, half] = time.args.map((arg) => (arg.kind === "num" ? toNumber(arg.value) : 0));
  const hour = half === 0 ? hours! : (hours! % 12) + (half === 2 ? 12 : 0);
  return {
    seconds: hour * 3600 + minutes! * 60 + seconds!,
    marked: half !== 0,
    open: half === 0 && hour >= 1 && hour <= 12,
  };
}

/** Where the gold is no time, a prediction that could be one is the ratio it is written as: `10:20` for 1/2. */
export function asRatio(time: Call): Node {
  const [hours, minutes, seconds] = time.args;
  const isZero = seconds?.kind === "num" && seconds.value.n === 0n;
  return isZero ? call("div", hours!, minutes!) : call("ratio", hours!, minutes!, seconds!);
}
