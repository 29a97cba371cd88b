// JSON Schemas as forms: which control a field needs, and what a filled form says.
//
// A form holds only what the user has entered. A default is what happens otherwise: shown, and not sent.

/** What `schema` asks for: `const`, `choice`, `flag`, `number`, `text`, `texts`, `group`, or `json` for all else. */
export function kindOf(schema) {
  const { type, items, ...rest } = plain(schema);
  if ("const" in rest) {
    return "const";
  }
  if (rest.enum) {
    return "choice";
  }
  if (type === "array") {
    return plain(items ?? {}).type === "string" ? "texts" : "json";
  }
  if (type === "object") {
    return rest.properties ? "group" : "json";
  }
  return { boolean: "flag", integer: "number", number: "number", string: "text" }[type] ?? "json";
}

/** `schema` without what only says that null is allowed too. */
export function plain(schema) {
  const options = schema.anyOf ?? schema.oneOf;
  const { anyOf: _, oneOf: __, ...rest } = schema;
  const option = options?.find(({ type }) => type !== "null");
  const merged = option ? { ...plain(option), ...rest } : rest;
  return Array.isArray(merged.type) ? { ...merged, type: merged.type.find((type) => type !== "null") } : merged;
}

/** The fields of the object `schema` that a form shows, as `{name, schema, kind, required}`. */
export function fieldsOf(schema) {
  return Object.entries(plain(schema).properties ?? {})
    .map(([name, field]) => ({
      name,
      schema: plain(field),
      kind: kindOf(field),
      required: schema.required?.includes(name) ?? false,
    }))
    .filter(({ kind }) => kind !== "const");
}

/** `values` with one of them changed; what is empty is left out. */
export function changed(values, name, value) {
  const { [name]: _, ...rest } = values ?? {};
  return isEmpty(value) ? rest : { ...rest, [name]: value };
}

/** The object that a filled form means: what was entered, what must be there, and what is always the same. */
export function instanceOf(schema, values = {}) {
  const object = {};
  for (const [name, field] of Object.entries(plain(schema).properties ?? {})) {
    const value = valueOf(field, values?.[name], schema.required?.includes(name));
    if (value !== undefined) {
      object[name] = value;
    }
  }
  return object;
}

function valueOf(schema, value, required) {
  const kind = kindOf(schema);
  if (kind === "const") {
    return plain(schema).const;
  }
  if (kind === "group") {
    return required || !isBlank(value) ? instanceOf(plain(schema), value) : undefined;
  }
  return isEmpty(value) ? undefined : value;
}

/** The titles of all that must be filled in and is not. */
export function missingFrom(schema, values = {}) {
  return fieldsOf(plain(schema)).flatMap((field) => {
    const value = values?.[field.name];
    if (field.kind === "group") {
      return field.required || !isBlank(value) ? missingFrom(field.schema, value) : [];
    }
    return field.required && isEmpty(value) ? [field.schema.title ?? field.name] : [];
  });
}

function isEmpty(value) {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && !value.length);
}

function isBlank(value) {
  return isEmpty(value) || (typeof value === "object" && Object.values(value).every(isBlank));
}
