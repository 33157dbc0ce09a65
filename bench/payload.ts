const SEVERITIES = ['critical', 'warning', 'info'];

/** The body of a webhook as Alertmanager sends it: a group of its own with two to four alerts. */
export function payload(n: number): string {
  const labels = { alertname: 'DiskWillFill', job: 'node', severity: SEVERITIES[n % 3] ?? 'warning', site: 'main' };
  const guest = `guest-${n}`;
  const alerts = Array.from({ length: 2 + (n % 3) }, (_, k) => ({
    status: 'firing',
    labels: { ...labels, guest, device: `/dev/sd${'abcd'[k]}1`, instance: `10.0.${n % 250}.${k}:9100`, fstype: 'ext4' },
    annotations: {
      summary: `Disk of ${guest} is full within four hours`,
      description: `Filesystem on /dev/sd${'abcd'[k]}1 has only ${3 + k}.2 % left and fills at 1.4 GiB an hour.`,
      runbook_url: 'https://runbooks.example.lan/disk-will-fill',
    },
    startsAt: '2026-01-15T03:12:44.123Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: `http://prometheus.example.lan:9090/graph?g0.expr=predict_linear%28node_filesystem_avail_bytes%5B1h%5D%2C+14400%29+%3C+0&g0.tab=1`,
    fingerprint: (n * 16 + k).toString(16).padStart(16, '0'),
  }));
  return JSON.stringify({
    version: '4',
    groupKey: `{}/{site="main"}:{alertname="DiskWillFill", guest="${guest}"}`,
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'vakhta',
    groupLabels: { alertname: 'DiskWillFill', guest },
    commonLabels: { ...labels, guest, fstype: 'ext4' },
    commonAnnotations: { runbook_url: 'https://runbooks.example.lan/disk-will-fill' },
    externalURL: 'http://alertmanager.example.lan:9093',
    alerts,
  });
}
