export const sum = (numbers: readonly number[]): number => numbers.reduce((total, x) => total + x, 0);
