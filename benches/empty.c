/* Linked with a library or with none, to see what that costs at the start. */
int main(void) { return 0; }
