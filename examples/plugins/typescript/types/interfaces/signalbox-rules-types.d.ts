declare module 'signalbox:rules/types@0.1.0' {
  /**
   * Milliseconds since the Unix epoch, UTC.
   */
  export type TimestampMs = bigint;
  /**
   * A value of an open set of facts.
   */
  export type AttributeValue = AttributeValueText | AttributeValueInteger | AttributeValueDecimal | AttributeValueBoolean | AttributeValueTexts;
  export interface AttributeValueText {
    tag: 'text',
    val: string,
  }
  export interface AttributeValueInteger {
    tag: 'integer',
    val: bigint,
  }
  export interface AttributeValueDecimal {
    tag: 'decimal',
    val: number,
  }
  export interface AttributeValueBoolean {
    tag: 'boolean',
    val: boolean,
  }
  export interface AttributeValueTexts {
    tag: 'texts',
    val: Array<string>,
  }
  /**
   * One fact that has no field of its own; at most 64 per event, keys in lower case with `-`.
   */
  export interface Attribute {
    /**
     * A documented key ("likes", "hashtags", ...) or one of the source's own.
     */
    key: string,
    value: AttributeValue,
  }
  /**
   * Who can read the message where it was written.
   * # Variants
   *
   * ## `"public"`
   *
   * Anyone.
   * ## `"followers"`
   *
   * The author's followers or a closed group.
   * ## `"private"`
   *
   * The author and the brand.
   * ## `"unknown"`
   *
   * The source does not say.
   */
  export type Visibility = 'public' | 'followers' | 'private' | 'unknown';
  /**
   * Which way the message went. The chain runs inbound messages only.
   * # Variants
   *
   * ## `"inbound"`
   *
   * From the public or a customer to the brand.
   * ## `"outbound"`
   *
   * From the brand.
   */
  export type Direction = 'inbound' | 'outbound';
  /**
   * Who wrote it. Every field may be absent; absent is unknown, never zero or false.
   */
  export interface Author {
    /**
     * The network's or the desk's own id.
     */
    id?: string,
    /**
     * "@ann", or the address a desk shows.
     */
    handle?: string,
    /**
     * As people read it.
     */
    name?: string,
    /**
     * Reach: how many follow.
     */
    followers?: bigint,
    /**
     * The network vouches for the identity.
     */
    verified?: boolean,
    /**
     * The desk marks the person or the organisation as important.
     */
    vip?: boolean,
    /**
     * The customer's organisation, by name.
     */
    organisation?: string,
    /**
     * One of us.
     */
    staff?: boolean,
    /**
     * A machine.
     */
    bot?: boolean,
  }
  /**
   * What the ITSM already knows about the conversation, in the desk's own words.
   */
  export interface Ticket {
    /**
     * The desk's key of the ticket.
     */
    id: string,
    /**
     * What people call it ("10081", "INC0010023").
     */
    number?: string,
    /**
     * "open", "pending", ... as the desk names it.
     */
    status?: string,
    /**
     * As the desk names it.
     */
    priority?: string,
    /**
     * Group, team or mailbox.
     */
    queue?: string,
    /**
     * Who works on it.
     */
    assignee?: string,
    /**
     * The tags it has now.
     */
    tags: Array<string>,
    /**
     * When it was opened.
     */
    opened?: TimestampMs,
  }
  /**
   * A file that came with the message: where it is, never its bytes.
   */
  export interface Attachment {
    /**
     * "image/jpeg", ...
     */
    mediaType?: string,
    /**
     * Where the source keeps it. The host never fetches it.
     */
    url?: string,
    /**
     * Size in bytes.
     */
    bytes?: bigint,
    /**
     * The description its author gave.
     */
    altText?: string,
  }
  /**
   * What happened, in the words of this contract whatever desk or network it came from. What few rules read is behind
   * `facts`: crossing the boundary costs every rule (2.0 us of 8.3 a call for everything in the record; a rule that asks for author
   * and ticket pays 7.96: docs/performance.md), and who wrote a message is a permission of its own.
   */
  export interface Event {
    /**
     * Stable per message, not per delivery.
     */
    id: string,
    /**
     * 0 at first. Rises when the author edits the message.
     */
    revision: number,
    /**
     * The configured source it came through.
     */
    source: string,
    /**
     * "post", "comment", "reply", "mention", "dm", "review", "message", ...
     */
    kind: string,
    /**
     * "x", "facebook", "instagram", "mastodon", "google-business", ...
     */
    network: string,
    /**
     * "created", "edited", "deleted", "reacted"
     */
    action: string,
    /**
     * Inbound, as a chain runs nothing else.
     */
    direction: Direction,
    /**
     * Who can read it.
     */
    visibility: Visibility,
    /**
     * As written, at most 8,000 characters; HTML already made plain.
     */
    text: string,
    /**
     * Subject or headline, if the source has one.
     */
    title?: string,
    /**
     * BCP 47, as the source claims it.
     */
    language?: string,
    /**
     * The conversation it belongs to.
     */
    threadId?: string,
    /**
     * 0.0 ..= 1.0 whatever the network's own scale.
     */
    rating?: number,
    /**
     * When it was written, if the source says.
     */
    occurred?: TimestampMs,
    /**
     * When the host took it in: the host's clock.
     */
    received: TimestampMs,
  }
  /**
   * ---- what a plugin may propose -------------------------------------------------------------
   * One category of the admin's taxonomy.
   */
  export interface Category {
    /**
     * The category's key, stable over renames.
     */
    key: string,
    /**
     * From the broadest to the narrowest; may be empty.
     */
    path: Array<string>,
  }
  /**
   * # Variants
   *
   * ## `"very-negative"`
   *
   * ## `"negative"`
   *
   * ## `"neutral"`
   *
   * ## `"positive"`
   *
   * ## `"very-positive"`
   */
  export type SentimentLabel = 'very-negative' | 'negative' | 'neutral' | 'positive' | 'very-positive';
  /**
   * How the author feels, and what of it needs care.
   */
  export interface Sentiment {
    /**
     * The step that people read.
     */
    label: SentimentLabel,
    /**
     * -1.0 ..= 1.0
     */
    score: number,
    /**
     * "anger", "churn", "threat", "sarcasm", "self-harm", "legal-threat", ...
     */
    signals: Array<string>,
  }
  /**
   * Urgency, impact and priority share one scale.
   * # Variants
   *
   * ## `"low"`
   *
   * ## `"normal"`
   *
   * ## `"high"`
   *
   * ## `"critical"`
   */
  export type Level = 'low' | 'normal' | 'high' | 'critical';
  /**
   * Whether a message may be part of something bigger than itself.
   * # Variants
   *
   * ## `"none"`
   *
   * ## `"watch"`
   *
   * ## `"likely"`
   *
   * ## `"confirmed"`
   */
  export type Crisis = 'none' | 'watch' | 'likely' | 'confirmed';
  /**
   * Who should work on it; a later assignment overwrites the fields it gives and no others.
   */
  export interface Assignment {
    /**
     * Group, team or mailbox.
     */
    queue?: string,
    /**
     * One person.
     */
    assignee?: string,
    /**
     * What they must be able to do.
     */
    skill?: string,
    /**
     * The on-call rota to ask.
     */
    onCall?: string,
  }
  /**
   * How far up it goes.
   */
  export interface Escalation {
    /**
     * 0 is none, 4 is the top of the house.
     */
    level: number,
    /**
     * "supervisor", "on-call", "security", "legal", "pr", "executive", ...
     */
    audience: Array<string>,
    /**
     * By when someone of the audience must have looked.
     */
    due?: TimestampMs,
  }
  /**
   * What a service level measures.
   * # Variants
   *
   * ## `"first-response"`
   *
   * ## `"next-response"`
   *
   * ## `"resolution"`
   */
  export type SlaClock = 'first-response' | 'next-response' | 'resolution';
  /**
   * A service level; due times are the host's work.
   */
  export interface SlaTarget {
    clock: SlaClock,
    /**
     * Working seconds on the calendar.
     */
    targetSeconds: number,
    /**
     * A calendar's name; absent is around the clock.
     */
    calendar?: string,
  }
  /**
   * Who must agree before a reply leaves.
   * # Variants
   *
   * ## `"none"`
   *
   * ## `"agent"`
   *
   * ## `"supervisor"`
   *
   * ## `"pr"`
   */
  export type Approval = 'none' | 'agent' | 'supervisor' | 'pr';
  /**
   * An answer to the author, drafted.
   */
  export interface Reply {
    /**
     * Plain text.
     */
    body: string,
    /**
     * Where it should be said.
     */
    visibility: Visibility,
    /**
     * BCP 47.
     */
    language?: string,
    /**
     * The knowledge article it rests on.
     */
    article?: string,
    /**
     * true asks the host to send it without a person: needs a grant.
     */
    auto: boolean,
    /**
     * The least approval it needs; the host may ask for more.
     */
    approval: Approval,
  }
  /**
   * A knowledge article that may help.
   */
  export interface Article {
    id: string,
    title: string,
    url?: string,
    /**
     * 0.0 ..= 1.0
     */
    score: number,
  }
  /**
   * What a message may belong to.
   * # Variants
   *
   * ## `"incident"`
   *
   * ## `"problem"`
   *
   * ## `"change"`
   *
   * ## `"service"`
   *
   * ## `"asset"`
   *
   * ## `"duplicate-of"`
   *
   * ## `"thread-parent"`
   *
   * ## `"similar"`
   */
  export type LinkKind = 'incident' | 'problem' | 'change' | 'service' | 'asset' | 'duplicate-of' | 'thread-parent' | 'similar';
  /**
   * One relation to a record of the desk.
   */
  export interface Link {
    kind: LinkKind,
    /**
     * The record's key in the desk.
     */
    id: string,
    /**
     * 0.0 ..= 1.0
     */
    score: number,
  }
  /**
   * What to do with the message itself, where it stands. `hide`, `delete` and `block-author` wait for a person
   * unless the step holds the grant.
   * # Variants
   *
   * ## `"ignore"`
   *
   * ## `"hide"`
   *
   * ## `"mark-spam"`
   *
   * ## `"delete"`
   *
   * ## `"block-author"`
   */
  export type Moderation = 'ignore' | 'hide' | 'mark-spam' | 'delete' | 'block-author';
  /**
   * Tell someone now.
   */
  export interface Alert {
    /**
     * "security", "legal", "on-call", ...
     */
    audience: string,
    /**
     * One or two sentences, at most 500 characters.
     */
    text: string,
    /**
     * Alerts with one key are one alert.
     */
    dedupeKey: string,
    level: Level,
  }
  /**
   * # Variants
   *
   * ## `"create"`
   *
   * ## `"update"`
   *
   * ## `"reopen"`
   *
   * ## `"merge"`
   *
   * ## `"close"`
   */
  export type TicketAction = 'create' | 'update' | 'reopen' | 'merge' | 'close';
  /**
   * A change to the ticket as a whole.
   */
  export interface TicketChange {
    action: TicketAction,
    /**
     * The ticket to merge into.
     */
    target?: string,
    title?: string,
  }
  /**
   * A value for a field of the desk.
   */
  export interface SetField {
    field: string,
    value: AttributeValue,
  }
  /**
   * The escape hatch: how an effect ships before it earns a case.
   */
  export interface Extension {
    /**
     * The registered name of the effect.
     */
    kind: string,
    /**
     * JSON, checked by the host against the schema registered for `kind`.
     */
    payload: string,
  }
  /**
   * One thing a plugin may propose.
   */
  export type Effect = EffectCategorize | EffectSetIntent | EffectSetLanguage | EffectFlagSentiment | EffectSetUrgency | EffectSetImpact | EffectSetPriority | EffectSetCrisis | EffectTag | EffectUntag | EffectAssign | EffectEscalate | EffectSetSla | EffectDraftReply | EffectSuggestArticle | EffectRelate | EffectModerate | EffectRaiseAlert | EffectActOnTicket | EffectWatch | EffectSetField | EffectNote | EffectMark | EffectExtension;
  export interface EffectCategorize {
    tag: 'categorize',
    val: Category,
  }
  /**
   * "question", "complaint", "praise", "fault-report", "request", ...
   */
  export interface EffectSetIntent {
    tag: 'set-intent',
    val: string,
  }
  /**
   * BCP 47, as the plugin detected it.
   */
  export interface EffectSetLanguage {
    tag: 'set-language',
    val: string,
  }
  export interface EffectFlagSentiment {
    tag: 'flag-sentiment',
    val: Sentiment,
  }
  export interface EffectSetUrgency {
    tag: 'set-urgency',
    val: Level,
  }
  export interface EffectSetImpact {
    tag: 'set-impact',
    val: Level,
  }
  export interface EffectSetPriority {
    tag: 'set-priority',
    val: Level,
  }
  export interface EffectSetCrisis {
    tag: 'set-crisis',
    val: Crisis,
  }
  export interface EffectTag {
    tag: 'tag',
    val: string,
  }
  /**
   * Also takes back a tag that the ticket already has.
   */
  export interface EffectUntag {
    tag: 'untag',
    val: string,
  }
  export interface EffectAssign {
    tag: 'assign',
    val: Assignment,
  }
  export interface EffectEscalate {
    tag: 'escalate',
    val: Escalation,
  }
  export interface EffectSetSla {
    tag: 'set-sla',
    val: SlaTarget,
  }
  export interface EffectDraftReply {
    tag: 'draft-reply',
    val: Reply,
  }
  export interface EffectSuggestArticle {
    tag: 'suggest-article',
    val: Article,
  }
  export interface EffectRelate {
    tag: 'relate',
    val: Link,
  }
  export interface EffectModerate {
    tag: 'moderate',
    val: Moderation,
  }
  export interface EffectRaiseAlert {
    tag: 'raise-alert',
    val: Alert,
  }
  export interface EffectActOnTicket {
    tag: 'act-on-ticket',
    val: TicketChange,
  }
  /**
   * Someone who should be told: a user or group of the desk.
   */
  export interface EffectWatch {
    tag: 'watch',
    val: string,
  }
  export interface EffectSetField {
    tag: 'set-field',
    val: SetField,
  }
  /**
   * A sentence or two for the agents, never for the author.
   */
  export interface EffectNote {
    tag: 'note',
    val: string,
  }
  /**
   * "knowledge-candidate", "improvement-idea", "expert-question", ...
   */
  export interface EffectMark {
    tag: 'mark',
    val: string,
  }
  export interface EffectExtension {
    tag: 'extension',
    val: Extension,
  }
  /**
   * Bytes of the UTF-8 of the raw field, end exclusive.
   */
  export interface Span {
    start: number,
    end: number,
  }
  /**
   * The words or facts that spoke for an effect, strongest first.
   */
  export interface Evidence {
    /**
     * "text", "title", or the name of a fact ("author.vip", "table:outages/vpn").
     */
    field: string,
    /**
     * Where it stands, when `field` is "text" or "title".
     */
    span?: Span,
    /**
     * The words themselves, or the fact's value.
     */
    text: string,
    /**
     * Its share in the confidence; negative speaks against.
     */
    weight: number,
  }
  /**
   * One effect with why, so that an admin can audit every change.
   */
  export interface Proposal {
    effect: Effect,
    /**
     * One sentence that an agent understands.
     */
    reason: string,
    /**
     * 0.0 ..= 1.0, calibrated.
     */
    confidence: number,
    /**
     * The rule, row or model that spoke, by the name the admin sees.
     */
    ruleId?: string,
    /**
     * At most 16 are kept.
     */
    evidence: Array<Evidence>,
  }
  /**
   * What the chain has settled before this plugin: not the answer's decision, which has more. Who proposed what, and why, is
   * behind `lookup.history`.
   */
  export interface SoFar {
    category?: Category,
    intent?: string,
    language?: string,
    sentiment?: Sentiment,
    urgency?: Level,
    impact?: Level,
    priority?: Level,
    crisis: Crisis,
    tags: Array<string>,
    assignment?: Assignment,
    escalation?: Escalation,
    moderation?: Moderation,
    marks: Array<string>,
    fields: Array<SetField>,
  }
  /**
   * Whether the rest of the chain runs. `stop` needs the grant `stop`.
   * # Variants
   *
   * ## `"next"`
   *
   * ## `"stop"`
   */
  export type Flow = 'next' | 'stop';
  /**
   * What a plugin returns: proposals in its own order, at most 64.
   */
  export interface Verdict {
    proposals: Array<Proposal>,
    flow: Flow,
  }
  /**
   * Why there is no verdict.
   */
  export type RuleError = RuleErrorNotApplicable | RuleErrorTransient | RuleErrorFailed;
  /**
   * Outside what this plugin can judge: not a fault.
   */
  export interface RuleErrorNotApplicable {
    tag: 'not-applicable',
    val: string,
  }
  /**
   * Something it depends on failed: the host may try again.
   */
  export interface RuleErrorTransient {
    tag: 'transient',
    val: string,
  }
  /**
   * A bug or bad data: counts against the plugin's health.
   */
  export interface RuleErrorFailed {
    tag: 'failed',
    val: string,
  }
}
