/** Takes one line for the user. */
export type Print = (line: string) => void;
