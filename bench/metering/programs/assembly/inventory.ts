// Orders against a stock: maps, classes, sorting with a comparator.
class Item {
  reserved: i32 = 0;
  constructor(
    public name: string,
    public count: i32,
    public price: f64,
  ) {}
}

class Stock {
  items: Map<string, Item> = new Map();

  add(name: string, count: i32, price: f64): void {
    if (this.items.has(name)) {
      const item = this.items.get(name);
      item.price = (item.price * f64(item.count) + price * f64(count)) / f64(item.count + count);
      item.count += count;
    } else this.items.set(name, new Item(name, count, price));
  }

  take(name: string, count: i32): f64 {
    if (!this.items.has(name)) return 0;
    const item = this.items.get(name);
    const taken = min(count, item.count - item.reserved);
    item.reserved += taken;
    return f64(taken) * item.price;
  }

  dearest(): Item[] {
    const all = this.items.values();
    all.sort((a, b) => (a.price < b.price ? 1 : a.price > b.price ? -1 : a.name < b.name ? -1 : 1));
    return all;
  }
}

export function run(rounds: i32): i32 {
  let seed: u32 = 41;
  let total: f64 = 0;
  for (let r = 0; r < rounds; r++) {
    const stock = new Stock();
    for (let i = 0; i < 60; i++) {
      seed = seed * 1664525 + 1013904223;
      stock.add('part-' + (seed >> 26).toString(), 1 + ((seed >> 8) & 15), f64((seed >> 12) & 1023) * 0.25);
    }
    for (let i = 0; i < 60; i++) {
      seed = seed * 1664525 + 1013904223;
      total += stock.take('part-' + (seed >> 26).toString(), 3);
    }
    const items = stock.dearest();
    for (let i = 0; i < items.length; i++) total += items[i].price * f64(items[i].reserved + i);
  }
  return i32(total % 1000000);
}
