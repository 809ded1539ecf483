/** What `device` may be, in recipes and on the command line. */
export const DEVICE = /^(auto|cpu|cuda(:\d{1,3})?)$/;
