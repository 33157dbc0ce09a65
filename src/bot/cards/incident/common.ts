import { DateTime } from 'luxon';
import type { Button, ButtonStyle } from '../../../core/doc.ts';
import type { Incident } from '../../../store/incidents.ts';
import type { DrawingContext } from './alerts.ts';

/** A button that asks for an operation on this incident. */
export const operationButton = (
  row: Incident,
  label: string,
  operation: string,
  more: Readonly<Record<string, unknown>> = {},
  style?: ButtonStyle,
): Button => ({
  kind: 'press',
  label,
  ...(style ? { style } : {}),
  press: { kind: 'operation', operation, args: { incident: row.id, ...more } },
});

/** A button that draws the card in another view. */
export const viewButton = (label: string, view: string): Button => ({
  kind: 'press',
  label,
  press: { kind: 'view', view },
});

/** A time of day in the reader's zone. */
export const clock = ({ zone }: DrawingContext, at: Date): string =>
  DateTime.fromJSDate(at, { zone }).toFormat('HH:mm');
