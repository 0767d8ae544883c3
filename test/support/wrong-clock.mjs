// node --import this: makes the process take it to be CLOCK_SKEW_MS later than it is.
const skew = Number(process.env.CLOCK_SKEW_MS ?? 0);
const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  construct: (_, args, newTarget) =>
    Reflect.construct(RealDate, args.length === 0 ? [RealDate.now() + skew] : args, newTarget),
  apply: () => new Date().toString(),
  get: (target, name) => (name === 'now' ? () => RealDate.now() + skew : Reflect.get(target, name)),
});
