import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import pg from 'pg';
import { serveParent } from './place.ts';

/** The baseline of `webhook`: the least that can be done, one INSERT of the body for each request. */
const pool = new pg.Pool({ connectionString: process.env['BENCH_DATABASE'], max: 10 });
await pool.query(
  'create table if not exists bench_bodies (id bigint generated always as identity, body text not null)',
);

const server = createServer((incoming: IncomingMessage, answer: ServerResponse) => {
  const parts: Buffer[] = [];
  incoming.on('data', (part: Buffer) => parts.push(part));
  incoming.on('end', () => {
    pool.query('insert into bench_bodies (body) values ($1)', [Buffer.concat(parts).toString('utf8')]).then(
      () => answer.end('kept\n'),
      () => answer.writeHead(503).end(),
    );
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  serveParent(typeof address === 'object' && address ? address.port : 0, async () => {
    const { rows } = await pool.query<{ n: string }>('select count(*) as n from bench_bodies');
    await pool.query('truncate bench_bodies');
    return Number(rows[0]?.n);
  });
});
