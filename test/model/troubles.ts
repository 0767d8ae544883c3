/** A call and its answer take at most so long while the network is well. */
export const LATENCY_MS = 400;

/** After an outage, everything has been tried again by then: a timeout, an interval, and a call. */
export const RECOVERY_MS = 1000 + 1000 + LATENCY_MS;

interface Trouble {
  readonly network: number;
  readonly from: number;
  to: number;
}

/** How many servers there are at a time. The numbers of those that take over the network of a server differ by this. */
export const SERVERS = 3;

const networkOf = (server: number): number => server % SERVERS;

/** Which networks were not well and which servers crashed, and when. */
export class Troubles {
  private readonly troubles: Trouble[] = [];
  private readonly crashes: { server: number; at: number }[] = [];

  constructor(private readonly now: () => number) {}

  /** A server lost what it had not sent. */
  crashed(server: number): void {
    this.crashes.push({ server, at: this.now() });
  }

  /** A network is well, or is not. */
  network(network: number, isWell: boolean): void {
    const last = this.troublesOf(network).at(-1);
    const isOpen = last?.to === Infinity;
    const now = this.now();
    if (isWell && isOpen) last.to = now + RECOVERY_MS;
    if (isWell || isOpen) return;
    // What comes before it has recovered is the same outage.
    if (last && last.to > now) last.to = Infinity;
    else this.troubles.push({ network, from: now, to: Infinity });
  }

  /** Whether the network of a server was not well for some of this time. */
  metBy(server: number, from: number, to: number): boolean {
    return this.troublesOf(server).some((trouble) => trouble.from <= to && trouble.to >= from);
  }

  /**
   * Whether activity that a server accepted, in an attempt from start to end, may not have reached the storage in time.
   * @param countsForMs how long after the last activity the next one counts
   * @param unsentMs how long it may wait while all is well
   */
  mayHaveLost(
    { server, startedAt, endedAt }: { server: number; startedAt: number; endedAt: number },
    countsForMs: number,
    unsentMs: number,
  ): boolean {
    const now = this.now();
    const troubles = this.troublesOf(server);
    const inCrash = this.crashes.some(
      ({ server: crashed, at }) =>
        crashed === server &&
        at >= endedAt &&
        (at <= endedAt + unsentMs || troubles.some(({ from, to }) => from <= at && to >= endedAt)),
    );
    const inOutage = troubles.some(
      ({ from, to }) =>
        from <= endedAt + unsentMs &&
        to >= startedAt &&
        Math.min(to, now + RECOVERY_MS) - from > countsForMs / 2,
    );
    return inCrash || inOutage;
  }

  private troublesOf(server: number): Trouble[] {
    return this.troubles.filter(({ network }) => network === networkOf(server));
  }
}
