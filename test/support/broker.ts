import { connect } from 'node:net';

/** What `global-setup.ts` has behind this port of 127.0.0.1; it is made at the first call in a run. */
export function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    connect({ port, host: '127.0.0.1' })
      .on('data', (chunk) => {
        answer += chunk.toString();
      })
      .once('error', reject)
      .once('close', () => resolve(answer));
  });
}
