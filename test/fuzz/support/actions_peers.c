/* What peers do many times, or at once. */
#include "actions.h"
#include "actions_list.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_NEW_PEERS 15

/* The first bytes of WebSocket frames, the most usual one first. */
static const uint8_t frame_starts[] = {0x82, 0x88, 0x89, 0x02, 0x80, 0x00, 0x81, 0x8a};
static const uint8_t close_frame[] = {0x03, 0xe8};

enum { PACKET_CLOSES = 0x08, PACKET_ENDS = 0x10, PACKET_RESETS = 0x20 };

/* Up to eight frames, a close frame and the end of the stream arrive together: the engine reads all in one turn. */
void action_send_packet(struct run *run, struct input *input)
{
    struct peer *peer = action_peer(run, input_u8(input));
    uint8_t choice = input_u8(input);

    peer_gather(peer);
    for (int i = 0; i <= (choice & 7); i++) {
        uint8_t frame = input_u8(input);
        size_t count;
        const uint8_t *payload = input_take(input, frame & 31, &count);
        peer_send_frame(peer, frame_starts[(frame >> 5) % COUNT(frame_starts)], payload, count);
    }
    if (choice & PACKET_CLOSES)
        peer_send_frame(peer, 0x88, close_frame, sizeof close_frame);
    peer_pass(peer);
    if (choice & PACKET_ENDS)
        peer_finish(peer, choice & PACKET_RESETS ? PEER_RESET : PEER_SHUT_DOWN);
}

/* Peers that come, say what they are, and are gone before the engine looks. */
void action_open_many_peers(struct run *run, struct input *input)
{
    uint8_t byte = input_u8(input);
    struct run_socket *socket = action_socket(run, byte);

    if (socket->s < 0 || socket->link->is_secure)
        return;
    for (int i = 0; i < (byte & MAX_NEW_PEERS); i++) {
        unsigned number = (unsigned)i % RUN_PEERS;
        run_add_peer(socket, number, NULL);
        if (byte & 0x40)
            peer_open(&run->peers[number], socket->type->peer_protocol, socket->type->name);
    }
}
