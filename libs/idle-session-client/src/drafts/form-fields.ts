type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** Types of field and kinds of `autocomplete` that are never kept. */
const NEVER_KEPT = /file|hidden|submit|button|reset|output|fieldset|password|off|cc-|one-time/i;

/** Reads what is entered in forms, and fills it in again; never passwords and other secrets. */
export class FormFields {
  /** Fields that were for a password once: a button may show it, as plain text. */
  readonly #secret = new WeakSet<Element>(document.querySelectorAll('[type=password]'));

  /** What is entered in a form, as one text. */
  read(form: HTMLFormElement): string {
    const entries = Array.from(this.#fieldsOf(form), ([id, field]) => [id, valueOf(field)]);
    return JSON.stringify(entries);
  }

  fillIn(form: HTMLFormElement, text: string): void {
    for (const [id, value] of JSON.parse(text) as [string, string][]) {
      // Looked up anew for each: one field may bring others with it.
      fill(this.#fieldsOf(form).get(id), value);
    }
  }

  /** By what tells a field from the others of its form. */
  #fieldsOf(form: HTMLFormElement): Map<string, Field> {
    const fields = new Map<string, Field>();
    // By their numbers: a field named `elements` hides the property.
    for (let at = 0, field; (field = form[at] as Field | undefined); at += 1) {
      const { type, name, value } = field;
      if (type === 'password') this.#secret.add(field);
      if (this.#secret.has(field)) continue;
      if (NEVER_KEPT.test(type + field.getAttribute('autocomplete'))) continue;
      if (field.matches(':disabled,[readonly]')) continue;
      let id = `${name} ${isCheckable(field) && value}`;
      while (fields.has(id)) id += ' ';
      fields.set(id, field);
    }
    return fields;
  }
}

function isCheckable(field: Field): field is HTMLInputElement {
  return /checkbox|radio/.test(field.type);
}

function valueOf(field: Field): string {
  if ('options' in field) return Array.from(field.selectedOptions, ({ value }) => value).join('\n');
  return isCheckable(field) ? String(field.checked) : field.value;
}

function fill(field: Field | undefined, value: string): void {
  if (!field || valueOf(field) === value) return;
  if (isCheckable(field)) return field.click();
  if ('options' in field) {
    const values = value.split('\n');
    for (const option of field.options) option.selected = values.includes(option.value);
  } else field.value = value;
  for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
}
