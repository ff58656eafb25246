import { describe, expect, test } from "vitest";
import { assignSlots } from "../../../../components/machines/slots";

describe("a machine's slot in the network", () => {
  const room = 244;

  test("follows from its name, not from the other machines", () => {
    const few = assignSlots(["control-plane-1", "worker-1", "gpu-1"], room);
    const many = assignSlots(
      ["control-plane-1", "control-plane-2", "control-plane-3", "worker-1", "worker-2", "worker-3", "boss", "gpu-1"],
      room,
    );
    for (const [name, slot] of few) expect(many.get(name)).toBe(slot);
  });

  test("is unique, also in a small network", () => {
    const names = [
      ...Array.from({ length: 9 }, (_, index) => `control-plane-${index + 1}`),
      "worker-1",
      "worker-2",
      "a",
      "b",
      "c",
    ];
    for (const places of [room, names.length]) {
      const slots = [...assignSlots(names, places).values()];
      expect(new Set(slots).size).toBe(names.length);
      for (const slot of slots) expect(slot).toBeLessThan(places);
    }
  });
});
