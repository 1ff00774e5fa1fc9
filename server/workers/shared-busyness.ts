/** Whether transfers keep any of several processes busy: they share the processors, so that all of them let newcomers wait. */
export class SharedBusyness {
  isBusy = false;
  private readonly busy = new Set<object>();

  constructor(private readonly changed: (isBusy: boolean) => void) {}

  /** What one of them found about itself; one that has ended is not busy. */
  found(one: object, isBusy: boolean): void {
    if (isBusy) this.busy.add(one);
    else this.busy.delete(one);
    if (this.busy.size > 0 === this.isBusy) return;
    this.isBusy = !this.isBusy;
    this.changed(this.isBusy);
  }
}
