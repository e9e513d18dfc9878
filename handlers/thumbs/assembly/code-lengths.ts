import { reverse } from './huffman';

/**
 * The lengths of a Huffman code for symbols that occur `counts` times, none longer than `lengthMax`: 0 for those that do
 * not occur. `codes` gets each symbol's code, turned round as it is sent.
 */
export function makeCode(
  counts: StaticArray<u32>,
  size: i32,
  lengthMax: i32,
  lengths: Uint8Array,
  codes: StaticArray<u16>,
): void {
  const order = symbolsByCount(counts, size);
  const used = order.length;
  lengths.fill(0);
  if (used > 0) {
    const perLength = lengthCounts(counts, order, lengthMax);
    // The rarest symbols get the longest codes.
    let at = 0;
    for (let length = lengthMax; length > 0; length--) {
      for (let left = perLength[length]; left > 0; left--) lengths[order[at++]] = <u8>length;
    }
  }
  let code = 0;
  for (let length = 1; length <= lengthMax; length++) {
    for (let symbol = 0; symbol < size; symbol++) {
      if (unchecked(lengths[symbol]) == length) unchecked((codes[symbol] = <u16>reverse(code++, length)));
    }
    code <<= 1;
  }
}

/** The symbols that occur, the rarest first. */
function symbolsByCount(counts: StaticArray<u32>, size: i32): Array<i32> {
  const keys = new Array<u64>();
  for (let symbol = 0; symbol < size; symbol++) {
    if (counts[symbol] > 0) keys.push(((<u64>counts[symbol]) << 16) | symbol);
  }
  keys.sort((a, b) => (a < b ? -1 : i32(a > b)));
  const order = new Array<i32>(keys.length);
  for (let i = 0; i < keys.length; i++) order[i] = <i32>(keys[i] & 0xffff);
  return order;
}

/** How many codes there are of each length: those of Huffman's tree, with those that are too long made to fit. */
function lengthCounts(counts: StaticArray<u32>, order: Array<i32>, lengthMax: i32): StaticArray<i32> {
  const perLength = new StaticArray<i32>(lengthMax + 1);
  const leaves = order.length;
  if (leaves == 1) {
    perLength[1] = 1;
    return perLength;
  }
  // Nodes in the order of their weight: leaves are sorted, and inner nodes come out sorted.
  const parents = new StaticArray<i32>(2 * leaves - 1);
  const weights = new StaticArray<u32>(2 * leaves - 1);
  for (let i = 0; i < leaves; i++) weights[i] = counts[order[i]];
  let leaf = 0;
  let inner = leaves;
  for (let made = leaves; made < 2 * leaves - 1; made++) {
    let weight: u32 = 0;
    for (let side = 0; side < 2; side++) {
      const isLeaf = leaf < leaves && (inner == made || weights[leaf] <= weights[inner]);
      const child = isLeaf ? leaf++ : inner++;
      parents[child] = made;
      weight += weights[child];
    }
    weights[made] = weight;
  }
  const depths = new StaticArray<i32>(2 * leaves - 1);
  for (let node = 2 * leaves - 3; node >= 0; node--) {
    depths[node] = depths[parents[node]] + 1;
    if (node < leaves) perLength[min(depths[node], lengthMax)]++;
  }
  // Codes cut to the limit take too much room: a leaf goes down a level for each pair that is too many (Kraft's sum).
  let total = 0;
  for (let length = 1; length <= lengthMax; length++) total += perLength[length] << (lengthMax - length);
  for (; total > 1 << lengthMax; total--) {
    perLength[lengthMax]--;
    for (let length = lengthMax - 1; length > 0; length--) {
      if (perLength[length] == 0) continue;
      perLength[length]--;
      perLength[length + 1] += 2;
      break;
    }
  }
  return perLength;
}
