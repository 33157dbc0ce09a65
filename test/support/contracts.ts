import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of API descriptions and recorded answers of the real systems; not part of the repository. */
const folder = process.env.VAKHTA_CONTRACTS ?? fileURLToPath(new URL('../../../shared/contracts', import.meta.url));

/** False where the descriptions are not at hand: tests that need them skip with a visible line, and fail when CI=true. */
export const haveContracts: boolean = existsSync(folder);
if (!haveContracts && process.env.CI === 'true') {
  throw new Error(
    `API descriptions not found in ${folder}: set VAKHTA_CONTRACTS. With CI=true they may not be skipped.`,
  );
}

/** Path below the contracts folder. */
export const contractPath = (...parts: string[]): string => join(folder, ...parts);

export const contract = (...parts: string[]): unknown => JSON.parse(readFileSync(contractPath(...parts), 'utf8'));
