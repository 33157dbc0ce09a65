// Preloaded into the program. Asked with { speed, epoch }, its clock and new timers run that many times as fast from then on.
let speed = 1;
let epoch = 0;
const RealDate = Date;
const now = () => epoch + (RealDate.now() - epoch) * speed;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, given) => (given.length === 0 ? new target(now()) : new target(...given)),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
for (const name of ['setTimeout', 'setInterval']) {
  const real = globalThis[name];
  const fast = (run, ms, ...given) => real(run, (ms ?? 0) / speed, ...given);
  globalThis[name] = Object.defineProperties(fast, Object.getOwnPropertyDescriptors(real));
}
process.on('message', (asked) => {
  ({ speed, epoch } = asked);
  process.send('fast');
});
process.channel?.unref();
