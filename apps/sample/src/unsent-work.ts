/** What becomes of entries that a person has not sent, in words for them. */
export interface UnsentWork {
  /** Where the browser keeps drafts. */
  readonly kept: string;
  /** Where it does not: without scripts, or on plain http. */
  readonly lost: string;
}

interface Words {
  readonly inWarning: UnsentWork;
  readonly afterEnd: UnsentWork;
}

/** The pages with something to fill in. Drafts are kept of the claim alone: its form has `data-guard-forms`. */
const PAGES: Readonly<Record<string, Words>> = {
  '/claims/new': {
    inWarning: {
      kept: 'What you have entered will be kept.',
      lost: 'Send your claim before then: what you have entered will not be kept.',
    },
    afterEnd: {
      kept: 'What you had entered in your claim is kept in this tab for a day. After you sign in, you can restore it.',
      lost: 'What you had entered in your claim could not be kept. Please enter it again.',
    },
  },
  '/account/email': {
    inWarning: always('Save your new address before then: it will not be kept.'),
    afterEnd: always(
      'A new address that you had not saved could not be kept. Please enter it again.',
    ),
  },
};

const ANY_PAGE: Words = {
  inWarning: always('There is nothing unsaved on this page.'),
  afterEnd: {
    kept: 'If you had begun a claim in this tab, it is kept for a day.',
    lost: 'Entries that you had not sent could not be kept.',
  },
};

export const AFTER_SIGN_OUT: UnsentWork = {
  kept: 'A claim that you have begun is kept in this tab for a day, for you alone. Closing the tab removes it.',
  lost: 'Entries that you had not sent are not kept.',
};

/** @param path of the page that warns */
export function unsentInWarning(path: string): UnsentWork {
  return wordsFor(path).inWarning;
}

/** @param path of the page where the session ended */
export function unsentAfterEnd(path: string): UnsentWork {
  return wordsFor(path).afterEnd;
}

function wordsFor(path: string): Words {
  return (Object.hasOwn(PAGES, path) && PAGES[path]) || ANY_PAGE;
}

function always(text: string): UnsentWork {
  return { kept: text, lost: text };
}
