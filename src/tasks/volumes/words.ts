/** Gigabytes as a plan says them: decimal, as disks and prices are. */
export function gigabytes(bytes: number): string {
  const value = bytes / 1e9;
  return value >= 10 ? value.toFixed(0) : value >= 0.1 ? value.toFixed(1) : value.toFixed(3);
}
