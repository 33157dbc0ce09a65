import type { Block, Button, Doc, Inlines } from '../../../core/doc.ts';
import type { IncidentData } from '../../../core/incident.ts';
import type { Incident, IncidentEvent } from '../../../store/incidents.ts';
import type { SilenceRow } from '../../../store/silences.ts';
import type { SeenAlerts } from '../../../tasks/silences/alerts.ts';
import type { DrawingContext } from './alerts.ts';
import type { Changes } from './changes.ts';
import type { FixExtras } from './fixes.ts';
import type { FoldingExtras } from './folding.ts';
import type { PeopleExtras } from './people.ts';

/** What drawing needs beyond the incident's own row; read by `extras.ts`, so that drawing itself reads nothing. */
export interface Extras {
  /** Newest first; only when the view shows it. */
  readonly history: readonly IncidentEvent[];
  /** Who was called, and what people said. */
  readonly people?: PeopleExtras | undefined;
  /** What changed before it, and what was like it; only when the view shows it. */
  readonly changes?: Changes | undefined;
  /** What may mend it, and what was tried. */
  readonly fixes?: FixExtras | undefined;
  /** What is folded into it, or into what it is folded; absent: neither. */
  readonly folding?: FoldingExtras | undefined;
  /** What Alertmanager holds; only when the view shows what a silence would mute. */
  readonly alerts?: SeenAlerts;
  /** The silence that is noted on the incident; only there, too. */
  readonly silence?: SilenceRow;
}

export const NO_EXTRAS: Extras = { history: [] };

export interface Drawing {
  readonly context: DrawingContext;
  readonly row: Incident;
  readonly data: IncidentData;
  readonly extras: Extras;
}

export type Fact = readonly [label: string, value: Inlines];

/** One matter that shows on incident cards: who has it, silence, what was folded into it, what may mend it, evidence. */
export interface IncidentPart {
  /** Lines `label: value` on the face. */
  readonly facts?: (drawing: Drawing) => readonly Fact[];
  /** Below the facts on the face. */
  readonly blocks?: (drawing: Drawing) => readonly Block[];
  /** First row of the face, and of every view: what one is most likely to press. */
  readonly primary?: (drawing: Drawing) => readonly Button[];
  /** The row below it on the face. */
  readonly secondary?: (drawing: Drawing) => readonly Button[];
  /** Further rows, also under views. */
  readonly rows?: (drawing: Drawing) => readonly (readonly Button[])[];
  /** Other views of the card by name; what follows `:` in the view is the argument. Undefined: the face is drawn. */
  readonly views?: Readonly<Record<string, (drawing: Drawing, argument: string) => View | undefined>>;
}

export interface View extends Pick<Doc, 'blocks' | 'file'> {
  /** The view's own row of buttons, behind "back". */
  readonly look?: readonly Button[];
  /** Rows of the view below it. */
  readonly further?: readonly (readonly Button[])[];
  /** Instead of the incident's usual rows below. */
  readonly rows?: readonly (readonly Button[])[];
}
