/** Completion lengths as Open-RS sees them: drawn around 2,500 tokens, none above its max_completion_length of 3,584. */
export interface LengthDraw {
  mean: number;
  deviation: number;
  least: number;
  most: number;
}

export const OPEN_RS: LengthDraw = { mean: 2500, deviation: 800, least: 200, most: 3584 };

/** The same every time: a normal distribution's draws (Box and Muller 1958) from a small generator, cut at both ends. */
export function drawLengths(count: number, { mean, deviation, least, most }: LengthDraw, seed = 1): number[] {
  let state = seed;
  const uniform = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    return Math.min(most, Math.max(least, Math.round(mean + deviation * normal)));
  });
}
