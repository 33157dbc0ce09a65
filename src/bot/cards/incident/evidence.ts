import type { Button } from '../../../core/doc.ts';
import { markdownBlocks } from '../../../core/markdown.ts';
import { alertsOf } from './alerts.ts';
import { changesBlocks } from './changes.ts';
import { operationButton, viewButton } from './common.ts';
import { details } from './details.ts';
import type { Drawing, IncidentPart } from './part.ts';
import { isUrl, runbookOf } from './runbook.ts';

/** Everything that helps to understand it: what was reported, graph, log lines, runbook, what changed, its history. */
export const evidence: IncidentPart = {
  secondary: ({ context: { t } }) => [viewButton(t('incident-look'), 'details')],
  views: {
    details: (drawing) => {
      const { context, row, data, extras } = drawing;
      const { t } = context;
      const look = [
        operationButton(row, t('incident-graph'), 'graph'),
        operationButton(row, t('incident-logs'), 'logs'),
      ];
      return { ...details(context, row, data, extras.history), look, further: [further(drawing)] };
    },
    changes: ({ context, row, extras }) => ({
      blocks: extras.changes ? changesBlocks(context, row, extras.changes) : [],
      look: [viewButton(context.t('incident-look'), 'details')],
    }),
    runbook: ({ context, data }) => {
      const runbook = runbookOf(context, data);
      return runbook && 'text' in runbook
        ? { blocks: markdownBlocks(runbook.text), look: [viewButton(context.t('incident-look'), 'details')] }
        : undefined;
    },
  },
};

function further({ context, data }: Drawing): Button[] {
  const { t } = context;
  const buttons: Button[] = [viewButton(t('incident-changes'), 'changes')];
  const runbook = runbookOf(context, data);
  const label = t('incident-runbook');
  if (runbook) buttons.push('url' in runbook ? { kind: 'url', label, url: runbook.url } : viewButton(label, 'runbook'));
  const source = alertsOf(data).find(({ generatorUrl }) => isUrl(generatorUrl))?.generatorUrl;
  if (source !== undefined) buttons.push({ kind: 'url', label: t('incident-source'), url: source });
  return buttons;
}
