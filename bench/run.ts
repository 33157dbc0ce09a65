import { parseArgs } from 'node:util';
import { backup } from './backup.ts';
import { type Bench, save, table } from './figures.ts';
import { history } from './history.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { press } from './press.ts';
import { reply } from './reply.ts';
import { start } from './start.ts';
import { storm } from './storm.ts';
import { webhook } from './webhook.ts';

/** `npm run bench -- [name…] [--save]`: see docs/benchmarks.md. */
const benches: readonly Bench[] = [webhook, latency, history, storm, reply, press, start, memory, backup];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { save: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !benches.some((one) => one.name === name));
if (unknown.length > 0) {
  console.error(
    `No benchmark is called ${unknown.join(', ')}. There are: ${benches.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const note = (text: string): void => void (process.stderr.isTTY && process.stderr.write(`\r\u001b[K${text}`));
for (const one of benches) {
  if (positionals.length > 0 && !positionals.includes(one.name)) continue;
  const figures = await one.run((progress) => note(`${one.name}: ${progress}`));
  note('');
  console.log(`\n${one.name}: ${one.about}\n${table(figures)}`);
  if (values.save) console.log(`saved ${await save(one.name, figures, new Date())}`);
}
