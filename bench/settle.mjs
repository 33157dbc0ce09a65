// Loaded into a process whose memory is measured (with --expose-gc): collects garbage when asked.
process.on('message', (question) => {
  if (question !== 'settle') return;
  globalThis.gc();
  globalThis.gc();
  process.send('settled');
});
