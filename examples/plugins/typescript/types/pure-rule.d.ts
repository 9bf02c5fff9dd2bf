/// <reference path="./interfaces/signalbox-rules-metadata.d.ts" />
/// <reference path="./interfaces/signalbox-rules-rule.d.ts" />
/// <reference path="./interfaces/signalbox-rules-types.d.ts" />
declare module 'signalbox:rules/pure-rule@0.1.0' {
  export type * as SignalboxRulesTypes010 from 'signalbox:rules/types@0.1.0'; // import signalbox:rules/types@0.1.0
  export * as metadata from 'signalbox:rules/metadata@0.1.0'; // export signalbox:rules/metadata@0.1.0
  export * as rule from 'signalbox:rules/rule@0.1.0'; // export signalbox:rules/rule@0.1.0
}
