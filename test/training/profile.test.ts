import { expect, test } from "vitest";
import { phase } from "../../src/run/phases.js";
import { ops, scope } from "../../src/torch/index.js";
import { formatProfile, startProfile } from "../../src/training/profile.js";

const busy = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

test("time goes to the innermost phase, operators to the phase they ran in", async () => {
  const end = startProfile();
  phase("outer", () => {
    busy(20);
    phase("inner", () => {
      busy(10);
      scope(() => ops.cat([ops.ones([3]), ops.ones([3])]));
    });
  });
  await phase("slow", () => new Promise((resolve) => setTimeout(resolve, 15)));
  const profile = end();
  const of = (name: string) => profile.phases.find((use) => use.name === name);
  expect(of("outer")?.ms).toBeGreaterThanOrEqual(20);
  expect(of("inner")?.ms).toBeGreaterThanOrEqual(10);
  expect(of("slow")?.ms).toBeGreaterThanOrEqual(14);
  const total = profile.phases.reduce((sum, use) => sum + use.ms, 0);
  expect(total / 1000).toBeCloseTo(profile.seconds, 2);
  expect(profile.ops).toContainEqual(expect.objectContaining({ phase: "inner", op: "cat", calls: 1 }));
  expect(formatProfile(profile)).toMatch(/inner.*cat/s);
});

test("memory: the phase that holds much at once has the greater peak", () => {
  const end = startProfile();
  phase("small", () => busy(1));
  phase("large", () =>
    scope(() =>
      ops
        .ones([64 * 1024 * 1024])
        .sum()
        .item(),
    ),
  );
  const profile = end();
  const peak = (name: string) => profile.phases.find((use) => use.name === name)?.peak ?? 0;
  // Where the system tells no peaks, both are 0.
  if (peak("large") > 0) expect(peak("large") - peak("small")).toBeGreaterThan(200e6);
});

test("afterwards nothing is measured", () => {
  const end = startProfile();
  const { ops: before } = end();
  phase("late", () => scope(() => ops.ones([3])));
  expect(before.some((use) => use.phase === "late")).toBe(false);
});
