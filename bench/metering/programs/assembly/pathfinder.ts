// The shortest way through a maze with a heap of open places.
const W = 40;
const H = 40;

class Heap {
  private keys: i32[] = [];
  private values: i32[] = [];

  get size(): i32 {
    return this.keys.length;
  }

  push(key: i32, value: i32): void {
    let i = this.keys.length;
    this.keys.push(key);
    this.values.push(value);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.keys[parent] <= key) break;
      this.move(parent, i);
      i = parent;
    }
    this.keys[i] = key;
    this.values[i] = value;
  }

  pop(): i32 {
    const top = this.values[0];
    const key = this.keys.pop();
    const value = this.values.pop();
    const count = this.keys.length;
    if (count == 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= count) break;
      if (child + 1 < count && this.keys[child + 1] < this.keys[child]) child++;
      if (this.keys[child] >= key) break;
      this.move(child, i);
      i = child;
    }
    this.keys[i] = key;
    this.values[i] = value;
    return top;
  }

  private move(from: i32, to: i32): void {
    this.keys[to] = this.keys[from];
    this.values[to] = this.values[from];
  }
}

function shortest(walls: StaticArray<bool>): i32 {
  const best = new StaticArray<i32>(W * H);
  for (let i = 0; i < W * H; i++) best[i] = i32.MAX_VALUE;
  const open = new Heap();
  best[0] = 0;
  open.push(0, 0);
  while (open.size > 0) {
    const at = open.pop();
    if (at == W * H - 1) return best[at];
    const x = at % W;
    const y = at / W;
    for (let way = 0; way < 4; way++) {
      const nx = x + (way == 0 ? 1 : way == 1 ? -1 : 0);
      const ny = y + (way == 2 ? 1 : way == 3 ? -1 : 0);
      if (nx < 0 || ny < 0 || nx >= W || ny >= H) continue;
      const next = ny * W + nx;
      const cost = best[at] + 1;
      if (walls[next] || cost >= best[next]) continue;
      best[next] = cost;
      open.push(cost + (W - 1 - nx) + (H - 1 - ny), next);
    }
  }
  return -1;
}

export function run(rounds: i32): i32 {
  let seed: u32 = 43;
  let sum = 0;
  for (let r = 0; r < rounds; r++) {
    const walls = new StaticArray<bool>(W * H);
    for (let i = 1; i < W * H - 1; i++) {
      seed = seed * 1664525 + 1013904223;
      walls[i] = seed >> 30 == 0;
    }
    sum += shortest(walls);
  }
  return sum;
}
