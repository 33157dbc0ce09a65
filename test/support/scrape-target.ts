import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Something to be scraped, with one number that the test moves. */
export async function startTarget() {
  let used = 0.4;
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`# TYPE disk_used_ratio gauge\ndisk_used_ratio{mountpoint="/srv"} ${used}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    set: (ratio: number) => {
      used = ratio;
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
