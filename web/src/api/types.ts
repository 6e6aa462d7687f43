/** The words of the REST API, see `schema.d.ts` for the whole of it. */

export type Role = 'viewer' | 'contributor' | 'steward';
export type Scope = 'read' | 'upload' | 'write' | 'admin';
export type State = 'receiving' | 'waiting' | 'translated' | 'not_translated';

export interface Me {
  account: {
    uid: string;
    email: string;
    name: string;
    locale: string;
    is_admin: boolean;
    institution: { slug: string; name: string };
  };
  projects: ProjectOfMine[];
  scopes: Scope[];
}

export interface ProjectOfMine {
  uid: string;
  slug: string;
  name: string;
  role: Role;
}

export interface Named {
  slug: string;
  name: string;
}

export interface Row {
  uid: string;
  title: string;
  technique: string;
  technique_short: string;
  sample: string;
  operator: string;
  instrument: Named | null;
  project: Named;
  state: State;
  measured_at: string | null;
  received_at: string;
  by: string | null;
  thumbnail: string;
  entries: number;
  warnings: number;
  version: number;
  error_kind: string | null;
}

export interface QueryFilter {
  key: string;
  label: string;
}

export interface Page {
  items: Row[];
  next_cursor: string | null;
  total: number;
  total_is_exact: boolean;
  query: { filters: QueryFilter[] };
}

export interface FacetValue {
  value: string;
  label: string;
  label_ja: string;
  count: number;
}

export interface NumericFacet {
  name: string;
  title: string;
  title_ja: string;
  unit: string;
  low: number;
  high: number;
  count: number;
  histogram: { low: number; high: number; count: number }[];
}

export type FacetName = 'technique' | 'instrument' | 'project' | 'sample' | 'state' | 'operator';
export type Facets = Record<FacetName, FacetValue[]> & { numeric: NumericFacet[]; sampled: boolean };

export interface Suggestion {
  text: string;
  label: string;
  label_ja: string;
}

export interface AxisInfo {
  name: string;
  unit: string | null;
  label: string;
  size: number;
  reversed: boolean;
  first: number | string | null;
  last: number | string | null;
}

export interface SignalInfo {
  name: string;
  unit: string | null;
  label: string;
  dtype: string;
  shape: number[];
  axes: string[];
  min: number | null;
  max: number | null;
}

export interface ConditionInfo {
  name: string;
  title: string;
  title_ja: string;
  value: number | string | boolean | null;
  unit: string | null;
  uncertainty: number | null;
  main: boolean;
  si: number | null;
  si_unit: string | null;
}

export interface EntryInfo {
  name: string;
  title: string;
  technique: string;
  is_table: boolean;
  x: string;
  default: string;
  started: string | null;
  axes: AxisInfo[];
  signals: SignalInfo[];
  conditions: ConditionInfo[];
}

export interface RawFileInfo {
  name: string;
  size: number;
  sha256: string;
  modified_at: string | null;
  received_at: string;
}

export interface ProvenanceStep {
  step: 'instrument' | 'agent' | 'upload' | 'server' | 'reader';
  at: string | null;
  who: string;
  detail: Record<string, string | number>;
}

export interface Detail extends Row {
  model: string;
  path: string;
  raw_files: RawFileInfo[];
  standard: { sha256: string; size: number } | null;
  default_entry: string;
  entry_list: EntryInfo[];
  warning_list: string[];
  translation: {
    reader: string;
    reader_version: string;
    started_at: string;
    seconds: number;
    error_kind: string | null;
    error_message: string | null;
    advice: string | null;
    advice_ja: string | null;
  } | null;
  provenance: ProvenanceStep[];
  versions: { uid: string; version: number; received_at: string; state: State }[];
  related: Row[];
  role: Role;
  members: number;
}

export interface ArrayInfo {
  name: string;
  unit: string | null;
  label: string;
  /** `<f8`: base64 of little-endian doubles; `time`: the same, milliseconds since 1970; `text`: values. */
  dtype: '<f8' | 'text' | 'time';
  shape: number[];
  data?: string | null;
  values?: string[] | null;
}

export interface EntryData {
  arrays: ArrayInfo[];
  decimated: boolean;
  total_points: number;
}

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

export interface Instrument {
  uid: string;
  slug: string;
  name: string;
  place: string;
  timezone: string;
  project: Named;
  settings: InstrumentSettings;
  settings_version: number;
  paired: boolean;
  seen_at: string | null;
  file_at: string | null;
  agent: {
    version?: string;
    host?: string;
    platform?: string;
    folder?: string;
    waiting?: number;
    failed?: number;
    problems?: string[];
  };
  status: 'unpaired' | 'online' | 'silent';
  waiting: number;
  failed: number;
  not_translated: number;
  measurements: number;
  hours: number[];
  role: Role;
}

export interface Receipt {
  upload: string;
  name: string;
  sha256: string;
  size: number;
  measurement: string;
  duplicate: boolean;
  received_at: string;
}

export interface TokenInfo {
  uid: string;
  name: string;
  scopes: Scope[];
  created_at: string;
  used_at: string | null;
  expires_at: string | null;
}

export interface Member {
  account_uid: string;
  email: string;
  name: string;
  role: Role;
  active: boolean;
  since: string;
}

export interface ProjectInfo {
  uid: string;
  slug: string;
  name: string;
  role: Role | null;
  members: number;
}

export interface Pairing {
  code: string;
  expires_at: string;
  command: string;
}

export interface FormatInfo {
  reader: string;
  version: string;
  vendor: string;
  format: string;
  techniques: string[];
  endings: string[];
  notes: string;
}
