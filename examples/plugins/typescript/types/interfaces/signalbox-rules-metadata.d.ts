declare module 'signalbox:rules/metadata@0.1.0' {
  /**
   * Asked once, at upload.
   */
  export function describe(): Description;
  /**
   * A case that documents the rule and tests it.
   */
  export interface Example {
    /**
     * One line: what it shows.
     */
    name: string,
    /**
     * JSON of an event in the canonical form.
     */
    event: string,
    /**
     * JSON of the config to use, if not the default.
     */
    config?: string,
    /**
     * JSON of recorded host answers (clock, state, lookup), for plugins that ask.
     */
    services?: string,
    /**
     * JSON of what the verdict must contain; the upload gate runs it.
     */
    expect: string,
  }
  /**
   * What it asks the admin for, and why, in words the admin reads: "lower", "stop", "auto-reply", "moderate:delete",
   * "state", "lookup:TABLE", "http:https://host", "secret:NAME".
   */
  export interface Permission {
    grant: string,
    reason: string,
  }
  /**
   * What the plugin says of itself.
   */
  export interface Description {
    /**
     * Lower-case letters, digits and `-`, at most 64.
     */
    name: string,
    /**
     * Semantic version of the plugin.
     */
    version: string,
    /**
     * One sentence.
     */
    summary: string,
    homepage?: string,
    /**
     * An SPDX expression.
     */
    license?: string,
    /**
     * Empty means all.
     */
    eventKinds: Array<string>,
    /**
     * The effects it may propose: case names of `effect`.
     */
    effects: Array<string>,
    requests: Array<Permission>,
    /**
     * JSON Schema 2020-12 of the config: checks it, and draws the admin's form.
     */
    configSchema: string,
    /**
     * At most 32.
     */
    examples: Array<Example>,
  }
}
