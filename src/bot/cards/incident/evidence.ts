import type { Button } from '../../../core/doc.ts';
import { alertsOf } from './alerts.ts';
import { viewButton } from './common.ts';
import { details } from './details.ts';
import type { IncidentPart } from './part.ts';
import { isUrl, runbookBlocks, runbookOf } from './runbook.ts';

/** All that is known of it: `details` with everything that was reported, and the runbook. */
export const evidence: IncidentPart = {
  secondary: ({ context, data }) => {
    const { t } = context;
    const look: Button[] = [viewButton(t('incident-details'), 'details')];
    const runbook = runbookOf(context, data);
    if (!runbook) return look;
    const label = t('incident-runbook');
    return [...look, 'url' in runbook ? { kind: 'url', label, url: runbook.url } : viewButton(label, 'runbook')];
  },
  views: {
    details: ({ context, row, data, extras }) => {
      const source = alertsOf(data).find(({ generatorUrl }) => isUrl(generatorUrl))?.generatorUrl;
      return {
        ...details(context, row, data, extras.history),
        look: source === undefined ? [] : [{ kind: 'url', label: context.t('incident-source'), url: source }],
      };
    },
    runbook: ({ context, data }) => {
      const runbook = runbookOf(context, data);
      return runbook && 'text' in runbook ? { blocks: runbookBlocks(runbook.text) } : undefined;
    },
  },
};
