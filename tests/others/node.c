/* A Node addon that shows some of rsig to node.js. */
#include <node_api.h>
#include <rsig.h>
#include <stdlib.h>

static napi_env environment;
static napi_ref on_signal;

static napi_value number(napi_env env, int64_t value) {
    napi_value result = NULL;
    napi_create_int64(env, value, &result);
    return result;
}

/* The first arguments, as integers. */
static void arguments(napi_env env, napi_callback_info info, int64_t *values, size_t count) {
    napi_value args[2] = {NULL, NULL};
    size_t given = 2;
    napi_get_cb_info(env, info, &given, args, NULL, NULL);
    for (size_t i = 0; i < count; i++) napi_get_value_int64(env, args[i], &values[i]);
}

static napi_value init(napi_env env, napi_callback_info info) {
    (void)info;
    return number(env, rsig_init(0));
}

static napi_value fini(napi_env env, napi_callback_info info) {
    (void)info;
    return number(env, rsig_fini());
}

static napi_value pump(napi_env env, napi_callback_info info) {
    (void)info;
    return number(env, rsig_pump());
}

/* A JavaScript function as the handler. What it throws refuses, and arrives at the caller of pump(). */
static int handler(int signum, const rsig_siginfo_t *info, void *arg) {
    napi_value function, self, args[2];
    (void)arg;
    napi_get_reference_value(environment, on_signal, &function);
    napi_get_undefined(environment, &self);
    args[0] = number(environment, signum);
    args[1] = number(environment, info->pid);
    return napi_call_function(environment, self, function, 2, args, NULL) != napi_ok;
}

static napi_value set_handler(napi_env env, napi_callback_info info) {
    napi_value args[2];
    size_t given = 2;
    int32_t signum = 0;
    napi_get_cb_info(env, info, &given, args, NULL, NULL);
    napi_get_value_int32(env, args[0], &signum);
    environment = env;
    napi_create_reference(env, args[1], 1, &on_signal);
    return number(env, rsig_signal(signum, handler, NULL, NULL));
}

/* 0 SIG_DFL, 1 SIG_IGN, 2 somebody else's, 3 rsig's. */
static napi_value owner(napi_env env, napi_callback_info info) {
    int64_t signum = 0;
    rsig_action_t now = {0, NULL};
    arguments(env, info, &signum, 1);
    rsig_getsignal((int)signum, &now);
    return number(env, now.handler == handler ? 3 : (int64_t)(size_t)now.handler);
}

static napi_value channel_open(napi_env env, napi_callback_info info) {
    int64_t signum = 0;
    rsig_channel_t *channel = NULL;
    arguments(env, info, &signum, 1);
    int result = rsig_channel_open(RSIG_SIGSET(signum), 64, &channel);
    return number(env, result < 0 ? result : (int64_t)(size_t)channel);
}

/* How many deliveries waited. */
static napi_value channel_read(napi_env env, napi_callback_info info) {
    int64_t channel = 0, deliveries = 0;
    rsig_siginfo_t record;
    arguments(env, info, &channel, 1);
    while (rsig_channel_read((rsig_channel_t *)(size_t)channel, &record, 1) == 1)
        deliveries += record.count;
    return number(env, deliveries);
}

static napi_value channel_close(napi_env env, napi_callback_info info) {
    int64_t channel = 0;
    arguments(env, info, &channel, 1);
    return number(env, rsig_channel_close((rsig_channel_t *)(size_t)channel));
}

NAPI_MODULE_INIT() {
    static const struct {
        const char *name;
        napi_callback function;
    } functions[] = {
        {"init", init},          {"fini", fini},
        {"pump", pump},          {"setHandler", set_handler},
        {"owner", owner},        {"channelOpen", channel_open},
        {"channelRead", channel_read}, {"channelClose", channel_close},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        napi_value function;
        napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL,
                             &function);
        napi_set_named_property(env, exports, functions[i].name, function);
    }
    return exports;
}
