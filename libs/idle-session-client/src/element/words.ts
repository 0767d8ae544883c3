/** The name of a text is also that of the attribute and of the slot that replace it. */
const KEYS = [
  'heading',
  'text',
  // Beside it when the absolute limit is near, which nothing moves.
  'fixed',
  'stay',
  'continue',
  'sign-out',
  // Also said of an extension that failed.
  'unreachable',
  'kept',
  'retry',
  'ended',
  'signed-out',
] as const;

export type Key = (typeof KEYS)[number];

/** In the order of the keys. */
// prettier-ignore
const WORDS: Readonly<Record<string, string>> = {
  en: `You're about to be signed out|For your security, we will sign you out in {time}.|You cannot stay signed in for longer. Please save your work now.|Stay signed in|Continue|Sign out|We cannot reach the service|Your work is still here.|Try again|For your security, we signed you out|You are signed out`,
  fr: `Nous allons bientôt vous déconnecter|Pour votre sécurité, nous vous déconnecterons dans {time}.|Il n’est pas possible de rester connecté plus longtemps. Enregistrez votre travail maintenant.|Rester connecté|Continuer|Se déconnecter|Le service ne répond pas|Votre travail est toujours là.|Réessayer|Pour votre sécurité, nous vous avons déconnecté|Vous êtes déconnecté`,
  de: `Sie werden gleich abgemeldet|Zu Ihrer Sicherheit melden wir Sie in {time} ab.|Länger können Sie nicht angemeldet bleiben. Bitte speichern Sie jetzt Ihre Arbeit.|Angemeldet bleiben|Weiter|Abmelden|Der Dienst ist nicht erreichbar|Ihre Arbeit ist noch da.|Erneut versuchen|Zu Ihrer Sicherheit haben wir Sie abgemeldet|Sie sind abgemeldet`,
  es: `Le desconectaremos en breve|Por su seguridad, le desconectaremos en {time}.|No es posible seguir conectado más tiempo. Guarde su trabajo ahora.|Seguir conectado|Continuar|Salir|El servicio no responde|Su trabajo sigue aquí.|Intentar de nuevo|Por su seguridad, le hemos desconectado|Ha salido`,
  pt: `A sua conta será desconectada em breve|Para sua segurança, a sua conta será desconectada em {time}.|Não é possível continuar por mais tempo. Salve o seu trabalho agora.|Continuar conectado|Continuar|Sair|O serviço não responde|O seu trabalho continua aqui.|Tentar novamente|Para sua segurança, a sua conta foi desconectada|Saiu da sua conta`,
  it: `Tra poco ti disconnetteremo|Per la tua sicurezza, ti disconnetteremo tra {time}.|Non è possibile restare connessi più a lungo. Salva ora il tuo lavoro.|Resta connesso|Continua|Esci|Il servizio non risponde|Il tuo lavoro è ancora qui.|Riprova|Per la tua sicurezza, ti abbiamo disconnesso|Hai effettuato l’uscita`,
  nl: `U wordt bijna uitgelogd|Voor uw veiligheid loggen we u over {time} uit.|Langer ingelogd blijven kan niet. Sla uw werk nu op.|Ingelogd blijven|Doorgaan|Uitloggen|De dienst is niet bereikbaar|Uw werk is er nog.|Opnieuw proberen|Voor uw veiligheid hebben we u uitgelogd|U bent uitgelogd`,
  cy: `Rydych ar fin cael eich allgofnodi|Er eich diogelwch, byddwn yn eich allgofnodi ymhen {time}.|Ni allwch aros wedi mewngofnodi yn hirach. Cadwch eich gwaith nawr.|Aros wedi mewngofnodi|Parhau|Allgofnodi|Ni allwn gyrraedd y gwasanaeth|Mae eich gwaith yma o hyd.|Rhoi cynnig arall arni|Er eich diogelwch, rydym wedi eich allgofnodi|Rydych wedi allgofnodi`,
};

/** The language of a tag, without its region; English if the tag is none. */
export function languageOf(tag: string): string {
  return /^[a-z]{2,3}\b/i.exec(tag)?.[0].toLowerCase() ?? 'en';
}

export function hasWords(language: string): boolean {
  return language in WORDS;
}

/** The built-in words: English where the language has none. */
export function wordsOf(language: string, key: Key): string {
  return (WORDS[language] ?? WORDS['en'])!.split('|')[KEYS.indexOf(key)]!;
}

/** Such as '2 minutes' or '40 seconds', and in seconds what is between the first few minutes. */
export function duration(language: string, seconds: number): string {
  const inMinutes = seconds % 60 === 0 || seconds > 180;
  const count = inMinutes ? Math.floor(seconds / 60) : seconds;
  // Browsers come without Welsh numbers.
  if (language === 'cy')
    return `${count} ${inMinutes ? (count < 3 ? 'funud' : 'munud') : 'eiliad'}`;
  const unit = inMinutes ? 'minute' : 'second';
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(
    count,
  );
}
