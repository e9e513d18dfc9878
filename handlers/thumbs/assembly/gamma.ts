/** Steps of linear light that are told apart: fine enough that every sRGB value comes back as it was. */
export const LINEAR_STEPS: i32 = 8192;

function toLinear(value: f64): f64 {
  const v = value / 255;
  return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
}

/** Linear light, from 0 to 1, of each sRGB value: pixels are averaged as light is, not as their numbers are. */
export function linearTable(): StaticArray<f32> {
  const table = new StaticArray<f32>(256);
  for (let value = 0; value < 256; value++) table[value] = <f32>toLinear(value);
  return table;
}

/** The sRGB value nearest to each step of linear light. */
export function srgbTable(): StaticArray<u8> {
  const table = new StaticArray<u8>(LINEAR_STEPS);
  let at = 0;
  for (let value = 0; value < 256; value++) {
    const border = value < 255 ? <i32>(toLinear(<f64>value + 0.5) * <f64>(LINEAR_STEPS - 1)) : LINEAR_STEPS - 1;
    for (; at <= border; at++) table[at] = <u8>value;
  }
  return table;
}
