import cliProgress from "cli-progress";

/** What a step shows: short names to values, in this order ("reward" → 0.53). */
export type ProgressFields = Readonly<Record<string, number>>;

export interface Progress {
  /** `step` steps are done; shows it with the fields. */
  update(step: number, fields: ProgressFields): void;
  /** Prints a line (a warning, a saved checkpoint) without tearing the bar. */
  log(line: string): void;
  /** Ends the display. Always call it, in `finally`: a bar's timer keeps the process alive. */
  stop(): void;
}

export interface ProgressOptions {
  /** Steps of the whole run. */
  total: number;
  /** Steps done before (a resumed run): not counted for the time left. */
  start?: number;
  stream?: NodeJS.WriteStream;
  /** Milliseconds; a test's clock. */
  now?: () => number;
}

/** A bar with the time left on a terminal; one plain line per step elsewhere (a file, CI). */
export function createProgress(options: ProgressOptions): Progress {
  const stream = options.stream ?? process.stderr;
  const clock = new StepClock(options.total, options.start ?? 0, options.now ?? performance.now.bind(performance));
  return stream.isTTY ? terminalProgress(options, stream, clock) : plainProgress(options, stream, clock);
}

function terminalProgress(options: ProgressOptions, stream: NodeJS.WriteStream, clock: StepClock): Progress {
  const bar = new cliProgress.SingleBar({
    format: (_options, { value, total }, { parts }: { parts: readonly string[] }) =>
      barLine(value, total, parts, stream.columns || 80),
    stream,
    // A kill must not leave the terminal changed, and Ctrl-C belongs to interrupt.ts.
    hideCursor: false,
    linewrap: true,
    gracefulExit: false,
  });
  let step = options.start ?? 0;
  let parts: readonly string[] = [];
  const begin = () => bar.start(options.total, step, { parts });
  begin();
  return {
    update(done, values) {
      clock.at(done);
      step = done;
      parts = `${clock.describe()}  ${formatFields(values)}`.split("  ").filter(Boolean);
      bar.update(step, { parts });
    },
    log(line) {
      bar.stop();
      // Over the bar, which is drawn again below: it ended with a newline.
      stream.write(`\x1b[1A\r\x1b[2K${line}\n`);
      begin();
    },
    stop: () => bar.stop(),
  };
}

const WIDEST_BAR = 24;

/**
 * One line that fits the terminal: the step, then of `parts` (the most important first) as many as there is room for, and before them a
 * bar in what is left. A line that wraps could not be drawn over.
 */
export function barLine(done: number, total: number, parts: readonly string[], columns: number): string {
  let text = `${done}/${total}`;
  for (const part of parts) if (`${text}  ${part}`.length < columns) text += `  ${part}`;
  const width = Math.min(WIDEST_BAR, columns - text.length - 2);
  if (width < 4) return text;
  const full = Math.round((width * done) / total);
  return `${"█".repeat(full)}${"░".repeat(width - full)} ${text}`;
}

function plainProgress(options: ProgressOptions, stream: NodeJS.WriteStream, clock: StepClock): Progress {
  const write = (line: string) => stream.write(`${line}\n`);
  return {
    update(step, fields) {
      clock.at(step);
      write(`step ${step}/${options.total}  ${formatFields(fields)}  ${clock.describe()}`);
    },
    log: write,
    stop: () => {},
  };
}

/** Speed and time left, from the mean of the last steps: lengths change while a run goes on. */
class StepClock {
  private readonly marks: { step: number; time: number }[];
  private static readonly WINDOW = 20;

  constructor(
    private readonly total: number,
    start: number,
    private readonly now: () => number,
  ) {
    this.marks = [{ step: start, time: now() }];
  }

  at(step: number): void {
    this.marks.push({ step, time: this.now() });
    if (this.marks.length > StepClock.WINDOW + 1) this.marks.shift();
  }

  describe(): string {
    const [first, last] = [this.marks[0], this.marks[this.marks.length - 1]];
    if (last.step === first.step) return "";
    const secondsPerStep = (last.time - first.time) / 1000 / (last.step - first.step);
    const left = Math.max(0, this.total - last.step) * secondsPerStep;
    return `${secondsPerStep.toFixed(secondsPerStep < 10 ? 2 : 0)} s/step  eta ${formatDuration(left)}`;
  }
}

/** "reward 0.534  length 81.2": four significant digits. */
export function formatFields(fields: ProgressFields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${Number.isInteger(value) ? value : Number(value.toPrecision(4))}`)
    .join("  ");
}

/** Seconds as "0:07", "12:03" or "3:05:00". */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
