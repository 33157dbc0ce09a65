// The container's health check: 0 when /healthz answers 2xx. `VAKHTA_HEALTH_URL` when it listens elsewhere.
const url = process.env.VAKHTA_HEALTH_URL ?? 'http://127.0.0.1:8080/healthz';
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(4000) });
  if (!response.ok) console.error(`${url} answered ${response.status}`);
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  console.error(`${url}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
