/* Names that take long to resolve: how many threads they occupy, and whom they hold up. getaddrinfo() is the test's
 * own, as if there were no answer from DNS servers until a case says so. */
#include "raw_peer.h"
#include "sockets.h"

#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_THREADS 16

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int asked;       /* names, since the case began */
static int running;     /* calls of getaddrinfo() */
static int max_running; /* at a time */
static bool is_answering;

/* Names that begin with "slow" wait until the servers answer; all are 127.0.0.1 then. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    struct sockaddr_in *address = calloc(1, sizeof *address);
    struct addrinfo *info = calloc(1, sizeof *info);

    (void)service;
    pthread_mutex_lock(&lock);
    asked++;
    if (++running > max_running)
        max_running = running;
    pthread_cond_broadcast(&changed);
    while (strncmp(name, "slow", 4) == 0 && !is_answering)
        pthread_cond_wait(&changed, &lock);
    running--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);

    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *info = (struct addrinfo){
        .ai_family = AF_INET,
        .ai_socktype = hints->ai_socktype,
        .ai_addr = (struct sockaddr *)address,
        .ai_addrlen = sizeof *address,
    };
    *found = info;
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    free(info->ai_addr);
    free(info);
}

static void answer(void)
{
    pthread_mutex_lock(&lock);
    is_answering = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Waits until the counter has the value. */
static void wait_for(const int *counter, int value)
{
    pthread_mutex_lock(&lock);
    while (*counter != value)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static int read_counter(const int *counter)
{
    pthread_mutex_lock(&lock);
    int value = *counter;
    pthread_mutex_unlock(&lock);
    return value;
}

static const char *port_of(const char *address)
{
    return strrchr(address, ':') + 1;
}

/* Connects to that number of names; returns the last endpoint. */
static int connect_to_names(int s, const char *format, int count, const char *port)
{
    char address[128];
    int endpoint = -1;

    for (int i = 0; i < count; i++) {
        int length = snprintf(address, sizeof address, format, i);
        snprintf(address + length, sizeof address - (size_t)length, ":%s", port);
        endpoint = (int)CHECK_OK(nn_connect(s, address));
    }
    return endpoint;
}

TEST(many_names_occupy_few_threads_and_all_are_resolved_in_the_end)
{
    const char *address = test_localhost_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = SOCKET(NN_PUSH);

    connect_to_names(push, "tcp://slow-%d", 100, port_of(address));
    wait_for(&running, MAX_THREADS);
    answer();
    wait_for(&asked, 100);
    CHECK_EQUAL(read_counter(&max_running), MAX_THREADS);
    WAIT_STATISTIC(pull, NN_STAT_CURRENT_CONNECTIONS, 100);
}

TEST(a_name_that_many_endpoints_wait_for_is_one_question)
{
    const char *address = test_localhost_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = SOCKET(NN_PUSH);

    connect_to_names(push, "tcp://slow", 100, port_of(address));
    wait_for(&running, 1);
    /* And others are not held up by it. */
    int other = test_socket_connected(NN_PUSH, address);
    connect_to_names(other, "tcp://quick", 1, port_of(address));
    WAIT_STATISTIC(pull, NN_STAT_CURRENT_CONNECTIONS, 2);
    CHECK_EQUAL(read_counter(&running), 1);
    answer();
    WAIT_STATISTIC(pull, NN_STAT_CURRENT_CONNECTIONS, 102);
}

TEST(addresses_without_names_do_not_wait_for_names)
{
    const char *address = test_localhost_address();
    int pull = test_socket_bound(NN_PULL, address);
    int push = SOCKET(NN_PUSH);

    connect_to_names(push, "tcp://slow-%d", 50, "1");
    wait_for(&running, MAX_THREADS);
    int quick = test_socket_connected(NN_PUSH, address);
    CHECK_SENDS(quick, "not held up");
    CHECK_RECEIVES(pull, "not held up");
    answer();
}

TEST(a_name_that_no_call_waits_for_any_more_is_not_asked_for)
{
    int push = SOCKET(NN_PUSH);
    int unwanted = SOCKET(NN_PUSH);

    connect_to_names(push, "tcp://slow-%d", MAX_THREADS, "1");
    wait_for(&running, MAX_THREADS);
    connect_to_names(unwanted, "tcp://slow-unwanted-%d", 50, "1");
    int endpoint = connect_to_names(push, "tcp://slow-wanted", 1, "1");
    CHECK_OK(nn_shutdown(push, endpoint));
    CHECK_OK(nn_close(unwanted));
    CHECK_OK(nn_close(push));
    answer();
    wait_for(&running, 0);
    CHECK_EQUAL(read_counter(&asked), MAX_THREADS);
}

#ifndef __SANITIZE_THREAD__
TEST(a_forked_child_resolves_names_while_all_threads_of_its_parent_wait)
{
    int push = SOCKET(NN_PUSH);

    connect_to_names(push, "tcp://slow-%d", 50, "1");
    wait_for(&running, MAX_THREADS);
    pid_t child = fork();
    if (child == 0) {
        const char *address = test_localhost_address();
        alarm((unsigned)test_deadline_ms(20000) / 1000);
        pthread_mutex_init(&lock, NULL);
        pthread_cond_init(&changed, NULL); /* or else it waits for the parent's threads */
        int pull = test_socket_bound(NN_PULL, address);
        connect_to_names(SOCKET(NN_PUSH), "tcp://quick-%d", 1, port_of(address));
        WAIT_STATISTIC(pull, NN_STAT_CURRENT_CONNECTIONS, 1);
        _exit(0);
    }
    int status;
    CHECK_OK(waitpid(child, &status, 0));
    CHECK_EQUAL(status, 0);
    answer();
}
#endif
