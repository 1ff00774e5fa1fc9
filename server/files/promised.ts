/** A promise that is kept, or broken, from outside; only the first of it counts. */
export class Promised<T> {
  readonly promise: Promise<T>;
  keep!: (value: T | Promise<T>) => void;
  break!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.keep = resolve;
      this.break = reject;
    });
    this.promise.catch(() => {}); // told to who waits for it
  }
}
