// The parallel group as it hangs on the wall: LEDs, power flow, backup interface, smart loads.
//
// One file of plain JavaScript, served by the integration as it is. It shows what Home Assistant's
// states say and nothing else: what is unknown there is grey and a dash here.

const DOMAIN = "solax_parallel";
const NOTHING = "–";
const UNKNOWN = new Set(["unknown", "unavailable", undefined]);

const NAMED_FAULTS = [
  "parallel_system_fault",
  "eps_sync_lost",
  "parallel_config_fault",
  "parallel_can_warning",
  "parallel_can_fault",
  "parallel_rs485_fault",
];
// Says that one of the named faults stands, and nothing where that one is told.
const GENERIC_FAULT = "parallel_fault";
const FAULT_FAMILIES = ["grid_fault", "pv_fault", "battery_fault", "output_fault", "internal_fault"];

// Where the four ends of the flow stand in the drawing, and which way a positive power runs.
const FLOWS = [
  { key: "pv_power", icon: "mdi:solar-power-variant", x: 150, y: 34, path: "M150 62 V106", inward: 1 },
  { key: "battery_power", icon: "mdi:home-battery", x: 34, y: 150, path: "M62 150 H106", inward: -1 },
  { key: "grid_power", icon: "mdi:transmission-tower", x: 266, y: 150, path: "M238 150 H194", inward: 1 },
  { key: "load_power", icon: "mdi:home-lightning-bolt", x: 150, y: 266, path: "M150 238 V194", inward: -1 },
];
const IDLE_POWER = 10;

// What Home Assistant has no translation for, because no entity says it.
const TEXTS = {
  en: { missing: "No parallel group was found.", what: "What to do", noSteps: "The steps appear under Settings > System > Repairs as soon as the fault has stood for two polls.", loads: "Smart loads" },
  de: { missing: "Keine Parallelgruppe gefunden.", what: "Was zu tun ist", noSteps: "Die Schritte erscheinen unter Einstellungen > System > Reparaturen, sobald der Fehler zwei Abfragen lang ansteht.", loads: "Smart Loads" },
  es: { missing: "No se ha encontrado ningún grupo en paralelo.", what: "Qué hacer", noSteps: "Los pasos aparecen en Configuración > Sistema > Reparaciones en cuanto el fallo persiste durante dos consultas.", loads: "Cargas inteligentes" },
  fr: { missing: "Aucun groupe parallèle trouvé.", what: "Que faire", noSteps: "Les étapes apparaissent sous Paramètres > Système > Corrections dès que le défaut persiste pendant deux interrogations.", loads: "Charges intelligentes" },
  nl: { missing: "Geen parallelle groep gevonden.", what: "Wat te doen", noSteps: "De stappen verschijnen onder Instellingen > Systeem > Reparaties zodra de fout twee uitlezingen aanhoudt.", loads: "Slimme belastingen" },
  pl: { missing: "Nie znaleziono grupy równoległej.", what: "Co zrobić", noSteps: "Kroki pojawią się w Ustawienia > System > Problemy, gdy usterka utrzyma się przez dwa odczyty.", loads: "Inteligentne odbiorniki" },
  cs: { missing: "Nebyla nalezena žádná paralelní skupina.", what: "Co dělat", noSteps: "Kroky se objeví v Nastavení > Systém > Opravy, jakmile porucha trvá dvě čtení.", loads: "Chytré zátěže" },
  it: { missing: "Nessun gruppo in parallelo trovato.", what: "Che cosa fare", noSteps: "I passaggi compaiono in Impostazioni > Sistema > Riparazioni non appena il guasto persiste per due letture.", loads: "Carichi intelligenti" },
  "pt-BR": { missing: "Nenhum grupo em paralelo foi encontrado.", what: "O que fazer", noSteps: "Os passos aparecem em Configurações > Sistema > Reparos assim que a falha persistir por duas leituras.", loads: "Cargas inteligentes" },
  "zh-Hans": { missing: "未找到并联机组。", what: "如何处理", noSteps: "故障持续两次轮询后，处理步骤会显示在“设置 > 系统 > 修复”中。", loads: "智能负载" },
};

function text(hass, key) {
  return (TEXTS[hass.language] ?? TEXTS[hass.language?.split("-")[0]] ?? TEXTS.en)[key];
}

function element(tag, attributes = {}, ...children) {
  const made = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "icon") made.icon = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// The group's devices and their entities by translation key, as the registries tell.
function findGroup(hass, wanted) {
  const byDevice = new Map();
  for (const entity of Object.values(hass.entities)) {
    if (entity.platform !== DOMAIN) continue;
    const known = byDevice.get(entity.device_id) ?? {};
    known[entity.translation_key] = entity.entity_id;
    byDevice.set(entity.device_id, known);
  }
  const groups = [...byDevice.keys()].filter((id) => byDevice.get(id).units_online);
  const id = groups.includes(wanted) ? wanted : groups[0];
  if (wanted && id !== wanted) return undefined;
  if (!id) return undefined;
  const devices = Object.values(hass.devices).map((device) => ({
    ...device,
    entities: byDevice.get(device.id) ?? {},
  }));
  const inGroup = devices.filter((device) => device.via_device_id === id);
  const backup = inGroup.find((device) => device.entities.grid_relay);
  return {
    id,
    entities: byDevice.get(id),
    inverters: inGroup.filter((device) => device.entities.run_mode),
    backup,
    loads: devices.filter((device) => backup && device.parent_device_id === backup.id),
  };
}

const STYLE = `
  :host { --led-green: #2e9e44; --led-red: #d93025; --led-grey: var(--disabled-color, #9e9e9e); }
  .content { padding: 16px; display: grid; gap: 16px; }
  h3 { margin: 0; font-size: 14px; font-weight: 500; color: var(--secondary-text-color); }
  button { font: inherit; color: inherit; background: none; border: 0; padding: 0; text-align: start; cursor: pointer; }
  button:focus-visible, summary:focus-visible { outline: 2px solid var(--primary-color); outline-offset: 2px; border-radius: 6px; }
  svg { width: 100%; max-width: 320px; margin: 0 auto; display: block; }
  svg a { cursor: pointer; }
  .line { stroke: var(--divider-color); stroke-width: 3; fill: none; }
  .moving { stroke: var(--primary-color); stroke-dasharray: 4 10; animation: flow 1s linear infinite; }
  .moving.out { animation-direction: reverse; }
  .node { fill: var(--card-background-color); stroke: var(--divider-color); stroke-width: 2; }
  .node.on { stroke: var(--primary-color); }
  .watts { fill: var(--primary-text-color); font-size: 13px; text-anchor: middle; }
  .part { fill: var(--error-color); font-size: 12px; }
  foreignObject { color: var(--secondary-text-color); }
  .status { display: flex; align-items: center; gap: 12px; flex-wrap: wrap; }
  .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px; }
  .tile { border: 1px solid var(--divider-color); border-radius: var(--ha-card-border-radius, 12px); padding: 12px; display: grid; gap: 6px; align-content: start; }
  .tile:has(details[open]) { grid-column: 1 / -1; }
  .tile .name { display: flex; align-items: center; gap: 8px; font-weight: 500; }
  .values { display: flex; justify-content: space-between; gap: 8px; }
  .dim { color: var(--secondary-text-color); }
  .led { flex: none; width: 14px; height: 14px; border-radius: 50%; background: var(--led-grey); box-sizing: border-box; }
  .led.off { background: none; border: 2px solid var(--led-grey); }
  .led.green, .led.green_flashing { background: var(--led-green); }
  .led.red, .led.red_flashing { background: var(--led-red); }
  .led.green_flashing, .led.red_flashing { animation: flash 400ms step-end infinite; }
  details { color: var(--primary-text-color); }
  summary { color: var(--error-color); cursor: pointer; margin-bottom: 6px; }
  .steps { white-space: pre-line; font-size: 13px; margin-top: 6px; }
  @keyframes flash { 50% { opacity: 0.15; } }
  @keyframes flow { from { stroke-dashoffset: 14; } to { stroke-dashoffset: 0; } }
  @media (prefers-reduced-motion: reduce) {
    .led.green_flashing, .led.red_flashing, .moving { animation: none; }
    .led.green_flashing { outline: 2px dashed var(--led-green); outline-offset: 2px; }
    .led.red_flashing { outline: 2px dashed var(--led-red); outline-offset: 2px; }
  }
`;

class SolaxParallelCard extends HTMLElement {
  #config = {};
  #hass;
  #shape;
  #updates = [];
  #seen = new Map();

  static getStubConfig(hass) {
    const group = findGroup(hass);
    return group ? { device: group.id } : {};
  }

  static getConfigForm() {
    return {
      schema: [
        { name: "title", selector: { text: {} } },
        {
          name: "device",
          selector: { device: { filter: [{ integration: DOMAIN }], entity: [{ integration: DOMAIN, domain: "sensor", device_class: "enum" }] } },
        },
      ],
      computeLabel: (field, localize) =>
        field.name === "device"
          ? localize("ui.panel.lovelace.editor.card.generic.device") || "Device"
          : localize(`ui.panel.lovelace.editor.card.generic.${field.name}`),
    };
  }

  setConfig(config) {
    this.#config = config;
    this.#shape = undefined;
    if (this.#hass) this.hass = this.#hass;
  }

  getCardSize() {
    return 8;
  }

  getGridOptions() {
    return { columns: 12, min_columns: 6 };
  }

  set hass(hass) {
    this.#hass = hass;
    const group = findGroup(hass, this.#config.device);
    const shape = JSON.stringify([group, hass.language]);
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#build(group);
    }
    for (const { entities, update } of this.#updates) {
      const states = entities.map((id) => hass.states[id]);
      const before = this.#seen.get(update);
      if (before && before.every((state, index) => state === states[index])) continue;
      this.#seen.set(update, states);
      update(...states);
    }
  }

  // Runs `update` with the states of `entities` now, and whenever one of them changes.
  #follow(entities, update) {
    this.#updates.push({ entities, update });
  }

  #build(group) {
    this.#updates = [];
    this.#seen.clear();
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    const card = document.createElement("ha-card");
    if (this.#config.title) card.header = this.#config.title;
    const content = element("div", { class: "content" });
    card.append(content);
    if (group) {
      content.append(this.#status(group), this.#flow(group), this.#inverters(group));
      if (group.backup) content.append(this.#backup(group));
    } else {
      content.append(text(this.#hass, "missing"));
    }
    root.replaceChildren(element("style", {}, STYLE), card);
  }

  #status(group) {
    const { operation_led, status, root_cause } = group.entities;
    const led = this.#led(operation_led);
    const words = this.#button(status, "", (button, state) => {
      button.textContent = this.#say(state);
    });
    const cause = element("span", { class: "dim", "aria-live": "polite" });
    this.#follow([root_cause], (found) => {
      const clear = !found || UNKNOWN.has(found.state) || found.state === "none";
      cause.textContent = clear ? "" : (found.attributes.explanation ?? this.#say(found));
    });
    return element("div", { class: "status" }, led, words, cause);
  }

  #flow(group) {
    const drawing = element("svg:svg", { viewBox: "0 0 300 300", role: "group" });
    const breaker = group.entities.on_grid;
    for (const flow of FLOWS) {
      const entity = group.entities[flow.key];
      if (!entity) continue;
      const line = element("svg:path", { class: "line", d: flow.path });
      const moving = element("svg:path", { d: flow.path });
      const node = element("svg:circle", { class: "node", cx: flow.x, cy: flow.y, r: 31 });
      const icon = element("svg:foreignObject", { x: flow.x - 12, y: flow.y - 22, width: 24, height: 24 },
        element("ha-icon", { icon: flow.icon, "aria-hidden": "true" }));
      const watts = element("svg:text", { class: "watts", x: flow.x, y: flow.y + 16 });
      const missing = element("svg:text", { class: "watts part", x: flow.x, y: flow.y + 44 });
      const link = element("svg:a", { tabindex: "0", role: "button", onclick: () => this.#more(entity), onkeydown: (event) => this.#onKey(event, entity) }, node, icon, watts, missing);
      drawing.append(line, moving, link);
      this.#follow([entity, breaker], (state, onGrid) => {
        const power = this.#number(state);
        const open = flow.key === "grid_power" && onGrid?.state === "off";
        const busy = power !== undefined && Math.abs(power) > IDLE_POWER;
        const inward = power * flow.inward > 0;
        moving.setAttribute("class", busy ? `line moving${inward ? "" : " out"}` : "line");
        line.setAttribute("stroke-dasharray", open ? "12 14" : "none");
        node.setAttribute("class", busy ? "node on" : "node");
        watts.textContent = power === undefined ? NOTHING : short(power);
        missing.textContent = partOf(state);
        link.setAttribute("aria-label", `${this.#nameOf(entity)}: ${this.#say(state)} ${partOf(state)}`);
      });
    }
    const soc = element("svg:text", { class: "watts", x: 34, y: 212 });
    const middle = element("svg:text", { class: "watts", x: 150, y: 155 });
    drawing.append(element("svg:circle", { class: "node", cx: 150, cy: 150, r: 42 }), middle, soc);
    this.#follow([group.entities.battery_soc], (state) => {
      soc.textContent = this.#say(state);
    });
    const words = group.inverters.map((device) => device.entities.grid_status).find(Boolean);
    this.#follow([breaker, words], (onGrid, status) => {
      const known = status && onGrid && !UNKNOWN.has(onGrid.state);
      middle.textContent = known
        ? this.#hass.formatEntityState(status, onGrid.state === "on" ? "on_grid" : "off_grid")
        : NOTHING;
    });
    return drawing;
  }

  #inverters(group) {
    const tiles = group.inverters.map((device) => {
      const { operation_led, run_mode, ac_power, battery_soc } = device.entities;
      const faults = element("div", { "aria-live": "polite" });
      const watched = [...NAMED_FAULTS, GENERIC_FAULT, ...FAULT_FAMILIES].filter((key) => device.entities[key]);
      this.#follow(watched.map((key) => device.entities[key]), (...states) => {
        const standing = states.flatMap((state, index) => state?.state === "on" ? [[watched[index], state]] : []);
        const isNamed = standing.some(([key]) => NAMED_FAULTS.includes(key));
        const telling = standing.filter(([key]) => key !== GENERIC_FAULT || !isNamed);
        faults.replaceChildren(...telling.map(([key, state]) => this.#fault(device, key, state)));
      });
      return element("div", { class: "tile" },
        element("div", { class: "name" }, this.#led(operation_led), device.name_by_user ?? device.name),
        this.#button(run_mode, "dim", (button, state) => { button.textContent = this.#say(state); }),
        element("div", { class: "values" }, this.#value(ac_power), this.#value(battery_soc)),
        faults);
    });
    return element("div", { class: "tiles" }, ...tiles);
  }

  #fault(device, key, state) {
    const listed = (state.attributes.faults ?? []).map((fault) => this.#hass.formatEntityAttributeValue(state, "faults", fault));
    const name = listed.length ? listed.join(", ") : `${this.#nameOf(state.entity_id)} (${state.attributes.vendor_code})`;
    const steps = element("div", { class: "steps" });
    const details = element("details", {}, element("summary", {}, name), element("h3", {}, text(this.#hass, "what")), steps);
    details.addEventListener("toggle", async () => {
      if (details.open) steps.textContent = await this.#steps(device, state.attributes.faults ?? [key]);
    });
    return details;
  }

  // The steps that the integration gives in its repair issues, in the language of the house.
  async #steps(device, keys) {
    const { issues } = await this.#hass.callWS({ type: "repairs/list_issues" });
    // An id ends with the inverter's number and the whole key: "isolation" is not "battery_isolation".
    const ofKeys = new RegExp(`_\\d+_(${keys.join("|")})$`);
    const ours = issues.filter((issue) =>
      issue.domain === DOMAIN && ofKeys.test(issue.issue_id) &&
      issue.translation_placeholders?.serial === device.serial_number);
    if (!ours.length) return text(this.#hass, "noSteps");
    return ours.map(({ translation_placeholders: said }) => `${said.meaning}\n\n${said.steps}`).join("\n\n");
  }

  #backup(group) {
    const { grid_relay, generator, microgrid } = group.backup.entities;
    const relays = [grid_relay, generator, microgrid].filter(Boolean).map((id) =>
      this.#button(id, "tile", (button, state) => {
        button.replaceChildren(element("span", { class: "dim" }, this.#nameOf(id)), this.#say(state));
      }));
    const loads = group.loads.filter((load) => load.entities.state).map((load) => {
      const { state, power, mode } = load.entities;
      return element("div", { class: "tile" },
        this.#button(state, "name", (button, now) => {
          button.replaceChildren(load.name_by_user ?? load.name, element("span", { class: "dim" }, this.#say(now)));
        }),
        element("div", { class: "values" }, this.#value(power), this.#value(mode)));
    });
    return element("div", { class: "content", style: "padding: 0" },
      element("h3", {}, group.backup.name_by_user ?? group.backup.name), element("div", { class: "tiles" }, ...relays),
      ...(loads.length ? [element("h3", {}, text(this.#hass, "loads")), element("div", { class: "tiles" }, ...loads)] : []));
  }

  #led(entity) {
    return this.#button(entity, "led", (button, state) => {
      const known = state && !UNKNOWN.has(state.state);
      button.className = known ? `led ${state.state}` : "led unknown";
    });
  }

  #value(entity) {
    return this.#button(entity, "", (button, state) => { button.textContent = this.#say(state); });
  }

  // A button that shows an entity and opens it; a plain gap where there is no such entity.
  #button(entity, style, update) {
    if (!entity) return element("span");
    const button = element("button", { class: style, onclick: () => this.#more(entity) });
    this.#follow([entity], (state) => {
      update(button, state);
      button.setAttribute("aria-label", `${this.#nameOf(entity)}: ${this.#say(state)}`);
    });
    return button;
  }

  #say(state) {
    if (!state || UNKNOWN.has(state.state)) return NOTHING;
    return this.#hass.formatEntityState(state);
  }

  #nameOf(entity) {
    const state = this.#hass.states[entity];
    return state ? (this.#hass.formatEntityName?.(state, { type: "entity" }) ?? state.attributes.friendly_name) : entity;
  }

  #number(state) {
    return state && !UNKNOWN.has(state.state) ? Number(state.state) : undefined;
  }

  #onKey(event, entity) {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    this.#more(entity);
  }

  #more(entityId) {
    this.dispatchEvent(new CustomEvent("hass-more-info", { detail: { entityId }, bubbles: true, composed: true }));
  }
}

// A sum that lacks a member says so.
function partOf(state) {
  const { complete, members_included, members_expected } = state?.attributes ?? {};
  return complete === false ? `${members_included}/${members_expected}` : "";
}

function short(power) {
  const watts = Math.abs(power);
  return watts < 1000 ? `${Math.round(watts)} W` : `${(watts / 1000).toFixed(1)} kW`;
}

customElements.define("solax-parallel-card", SolaxParallelCard);
window.customCards ??= [];
window.customCards.push({
  type: "solax-parallel-card",
  name: "SolaX Parallel",
  description: "The parallel group as it hangs on the wall.",
  preview: true,
});
