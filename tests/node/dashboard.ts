// What Grafana publishes of a dashboard's model, as its JSON: enumerations are their values there, and the panels are of
// the kinds that ours are of. Its own types leave the options of a panel, and what its data source is asked, open.
import type * as schema from '@grafana/schema';
import type { FieldConfig, Options } from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen.d.ts';

type Plain<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends (infer Each)[]
      ? Plain<Each>[]
      : { [Name in keyof T]: Plain<T[Name]> };

interface PrometheusQuery {
  refId: string;
  expr: string;
  legendFormat: string;
  exemplar?: boolean;
  datasource: schema.DataSourceRef;
}

interface TimeSeries extends Omit<schema.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> {
  type: 'timeseries';
  title: string;
  options: Options;
  fieldConfig: {
    defaults: Omit<schema.FieldConfigSource['defaults'], 'custom'> & { custom?: FieldConfig };
    overrides: schema.FieldConfigSource['overrides'];
  };
  targets: PrometheusQuery[];
}

export type Dashboard = Plain<Omit<schema.Dashboard, 'panels'> & { panels: TimeSeries[] }>;
