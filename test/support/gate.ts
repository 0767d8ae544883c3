/** A place where a handler waits for the test. */
export class Gate {
  private static readonly named = new Map<string, Gate>();
  /** What a request can name it by. */
  readonly name = String(Gate.named.size);
  /** Resolves once a handler waits at the gate. */
  readonly reached: Promise<void>;
  private readonly opened: Promise<void>;
  private reach!: () => void;
  /** Lets the handler go on. */
  open!: () => void;

  constructor() {
    this.reached = new Promise((resolve) => (this.reach = resolve));
    this.opened = new Promise((resolve) => (this.open = resolve));
    Gate.named.set(this.name, this);
  }

  static of(name: unknown): Gate {
    return Gate.named.get(String(name))!;
  }

  /** Says that the handler is here, and waits. */
  async pass(): Promise<void> {
    this.reach();
    await this.opened;
  }
}
