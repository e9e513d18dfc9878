/** A place in a `LiveList`. */
export interface LivePlace<T> {
  readonly value: T;
  previous: LivePlace<T> | undefined;
  next: LivePlace<T> | undefined;
}

/**
 * What is under way, oldest first.
 *
 * A Map or a Set, which thousands of short-lived things a second pass through, makes the garbage collector keep them: V8's
 * tables point to the table that replaced them. So once one of them has become old, all that follow it, with whatever was
 * under way then, survive every collection of young objects, and become old themselves, until the next full collection.
 * At a gateway's full load that was a seventh of all objects. Here, what was removed points to nothing.
 */
export class LiveList<T> {
  #first: LivePlace<T> | undefined;
  #last: LivePlace<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(value: T): LivePlace<T> {
    const place: LivePlace<T> = { value, previous: this.#last, next: undefined };
    if (this.#last === undefined) this.#first = place;
    else this.#last.next = place;
    this.#last = place;
    this.#size += 1;
    return place;
  }

  /** Once for each place of this list. */
  remove(place: LivePlace<T>): void {
    const { previous, next } = place;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    place.previous = undefined;
    place.next = undefined;
    this.#size -= 1;
  }

  values(): T[] {
    const values: T[] = [];
    for (let place = this.#first; place !== undefined; place = place.next) values.push(place.value);
    return values;
  }
}
