/** Compiled as it is: TypeScript's types are stripped by the compiler itself. */
export default {};
