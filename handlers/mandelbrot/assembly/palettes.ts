/** Colours of a palette; index 0 is for the set itself. */
export const COLOURS: i32 = 256;

export function paletteNames(): string {
  return 'ocean, fire, forest, grey';
}

/** The colours a palette goes through, as 0xRRGGBB; the last leads back to the first. */
function stopsOf(name: string): StaticArray<u32> | null {
  if (name == 'ocean') return [0x001048, 0x1a63c8, 0xedf9ff, 0xffb42a, 0x7a2400];
  if (name == 'fire') return [0x140006, 0x8c0f0a, 0xf26a13, 0xffe27a, 0xfffbe8, 0x7d2b8b];
  if (name == 'forest') return [0x04140c, 0x0f5b3a, 0x7cc36a, 0xf4f7d0, 0xb0782c, 0x2b1a12];
  if (name == 'grey') return [0x101010, 0xf4f4f4];
  return null;
}

export function isPalette(name: string): bool {
  return stopsOf(name) !== null;
}

/** Red, green and blue of every colour: black for the set, the rest a round trip through the palette's stops. */
export function paletteColours(name: string): Uint8Array {
  const stops = stopsOf(name)!;
  const colours = new Uint8Array(3 * COLOURS);
  for (let i = 1; i < COLOURS; i++) {
    const at = (<f64>(i - 1) * <f64>stops.length) / <f64>(COLOURS - 1);
    const from = stops[<i32>at];
    const to = stops[(<i32>at + 1) % stops.length];
    // Slow at the stops and fast between them: no edges where two gradients meet.
    const share = at - Math.floor(at);
    const eased = share * share * (3 - 2 * share);
    for (let part = 0; part < 3; part++) {
      const shift = 16 - 8 * part;
      const begin = <f64>((from >> shift) & 255);
      colours[3 * i + part] = <u8>(begin + (<f64>((to >> shift) & 255) - begin) * eased + 0.5);
    }
  }
  return colours;
}
