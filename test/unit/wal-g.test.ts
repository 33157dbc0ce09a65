import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Executor } from '../../src/integrations/exec/executor.ts';
import { createWalG } from '../../src/integrations/wal-g/wal-g.ts';
import { parseWalVerify } from '../../src/integrations/wal-g/wire.ts';

/** Answers as WAL-G's documentation shows them. */
function storage() {
  const backups: Record<string, unknown>[] = [];
  const calls: string[] = [];
  const executor: Executor = {
    describe: () => 'localhost',
    probe: async () => ({ state: 'ok', text: 'exec-probe-ok' }),
    run: async ([, command = '', ...words]) => {
      calls.push([command, ...words].join(' '));
      if (command === 'backup-push') {
        const n = backups.length + 1;
        const data = words.indexOf('--add-user-data');
        backups.push({
          backup_name:
            n === 1 ? 'base_000000010000000000000002' : 'base_000000010000000000000006_D_000000010000000000000002',
          time: `2026-11-2${n}T02:00:09Z`,
          wal_file_name: '000000010000000000000002',
          storage_name: 'default',
          start_time: `2026-11-2${n}T02:00:00.5Z`,
          finish_time: `2026-11-2${n}T02:00:09.1Z`,
          system_identifier: 7_711_523_342_676_837,
          uncompressed_size: 25_000_000,
          compressed_size: 3_000_000,
          ...(data === -1 ? {} : { user_data: JSON.parse(words[data + 1] ?? '') as unknown }),
        });
      }
      const stdout = command === 'backup-list' ? (backups.length > 0 ? JSON.stringify(backups) : '') : '';
      return { code: 0, stdout, stderr: '', truncated: false };
    },
  };
  return { executor, calls };
}

describe('WAL-G behind the port of pgBackRest', () => {
  const open = () => {
    const { executor, calls } = storage();
    const cluster = { dataDir: '/srv/pg/data', socketDir: '/run/postgresql', port: 5432 };
    const settings = { id: 'main', stanza: 'main', binary: ['wal-g'], cluster };
    return { port: createWalG(settings, { executor, clock: systemClock }), calls };
  };

  it('an empty storage has no backup, and is red', async () => {
    const { port } = open();
    expect(await port.info()).toMatchObject({ state: 'no-valid-backups', backups: [] });
    expect(await port.probe(new AbortController().signal)).toMatchObject({ state: 'down' });
  });

  it('a backup carries its run, and is found by it', async () => {
    const { port, calls } = open();
    expect(await port.backup('full', { runId: 'r-1' })).toMatchObject({ type: 'full', sizeBytes: 25_000_000 });
    expect(calls).toContain('backup-push /srv/pg/data --full --add-user-data {"vakhta-run":"r-1"}');
    expect(await port.backup('incr', { runId: 'r-2' })).toMatchObject({ type: 'incr' });
    expect(await port.findByRun('r-1', new Date())).toMatchObject({ state: 'found', backup: { type: 'full' } });
    expect(await port.findByRun('r-9', new Date(0))).toEqual({ state: 'absent', candidates: [] });
  });

  it('what it cannot do safely it refuses', async () => {
    const { port } = open();
    await expect(port.expire({ dryRun: true })).rejects.toMatchObject({ code: 'wal-g-no-expire' });
    const request = { set: 'base_1', pgPath: '/x', archiveMode: 'off' } as const;
    await expect(port.restore(request)).rejects.toMatchObject({ code: 'wal-g-no-restore' });
    expect(port.can.readData).toBe(false);
  });

  it('verify knows of lost segments and of a wrong timeline; what is on its way is no damage', () => {
    const text = (status: string, integrity: string, timeline = 'OK') =>
      JSON.stringify({
        integrity: {
          status: integrity,
          details: [{ timeline_id: 1, start_segment: '01', end_segment: '02', segments_count: 2, status }],
        },
        timeline: { status: timeline, details: { current_timeline_id: 1, highest_storage_timeline_id: 1 } },
      });
    expect(parseWalVerify(text('FOUND', 'OK'))).toMatchObject({ status: 'ok', problems: [] });
    expect(parseWalVerify(text('MISSING_DELAYED', 'WARNING'))).toMatchObject({ status: 'ok' });
    expect(parseWalVerify(text('MISSING_LOST', 'FAILURE'))).toMatchObject({ problems: ['WAL lost: 01 … 02'] });
    expect(parseWalVerify(text('FOUND', 'OK', 'FAILURE'))).toMatchObject({ status: 'error' });
    expect(() => parseWalVerify('')).toThrow(/wal-g/);
  });
});
