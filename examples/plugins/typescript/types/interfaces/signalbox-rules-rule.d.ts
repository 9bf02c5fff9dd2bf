/// <reference path="./signalbox-rules-types.d.ts" />
declare module 'signalbox:rules/rule@0.1.0' {
  /**
   * Once per activation, before any `evaluate`, with JSON that has passed the schema.
   * The host snapshots the instance after it: every event then starts from this very state.
   */
  export function configure(config: string): void;
  /**
   * Once per event. `settled` is what the steps before have settled.
   */
  export function evaluate(event: Event, settled: SoFar): Verdict;
  export type Event = import('signalbox:rules/types@0.1.0').Event;
  export type SoFar = import('signalbox:rules/types@0.1.0').SoFar;
  export type Verdict = import('signalbox:rules/types@0.1.0').Verdict;
  export type RuleError = import('signalbox:rules/types@0.1.0').RuleError;
  /**
   * What is wrong with one place of a config.
   */
  export interface ConfigProblem {
    /**
     * JSON Pointer into the config.
     */
    path: string,
    /**
     * What is wrong and what to write instead.
     */
    message: string,
  }
}
