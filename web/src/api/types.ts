/** The words of the REST API, as its OpenAPI has them (`npm run api` generates `schema.d.ts`). */

import type { components } from '@/api/schema';

type Schemas = components['schemas'];

export type Me = Schemas['Me'];
export type Role = Schemas['MyProject']['role'];
export type Scope = Me['scopes'][number];
export type Row = Schemas['Row'];
export type State = Row['state'];
export type Page = Schemas['MeasurementPage'];
export type QueryFilter = Schemas['FilterSaid'];
export type Facets = Schemas['FacetsBody'];
export type FacetValue = Schemas['FacetValue'];
export type NumericFacet = Schemas['NumericFacet'];
export type Suggestion = Schemas['Suggestion'];
export type Detail = Schemas['MeasurementBody'];
export type EntryInfo = Schemas['EntrySummary'];
export type AxisInfo = Schemas['AxisSummary'];
export type SignalInfo = Schemas['SignalSummary'];
export type ConditionInfo = Schemas['ConditionSummary'];
export type EntryData = Schemas['DataBody'];
export type ArrayInfo = Schemas['ArrayBody'];
export type Metadata = Schemas['MetadataBody'];
export type Instrument = Schemas['InstrumentInfo'];
export type Pairing = Schemas['PairingInfo'];
export type ProjectInfo = Schemas['ProjectInfo'];
export type Member = Schemas['Member'];
export type TokenInfo = Schemas['TokenInfo'];
export type Receipt = Schemas['Receipt'];
export type FormatInfo = Schemas['Format'];

/** Rules for an instrument's files, as `zairyo.agent.rules.Rules` has them. */
export interface InstrumentSettings {
  include?: string[];
  exclude?: string[];
  subfolders?: boolean;
  stable_seconds?: number;
  end_marker?: string | null;
  sentinel?: string | null;
  folder_formats?: string[];
  rescan_seconds?: number;
  since?: string | null;
}
