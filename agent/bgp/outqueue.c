// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries hang in a map by prefix and in the list of their bucket. A bucket is
 * one attribute set and family; buckets are served first come, first served.
 * Sets are interned, so a bucket is found by the address of its set.
 */
#include "bgp/outqueue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "bgp/update.h"
#include "lib/pmap.h"

#define HASH_MIN 16

struct entry {
	TAILQ_ENTRY(entry) link;
	struct prefix prefix;
	struct bucket *bucket;
	uint64_t seq; /* when the prefix came into the queue */
};

struct bucket {
	TAILQ_ENTRY(bucket) link;
	struct bucket *hash_next;
	TAILQ_HEAD(, entry) entries;
	const struct attrs *attrs; /* NULL: withdraw */
	enum session_afi afi;
};

TAILQ_HEAD(bucket_list, bucket);

/* Due when nothing queued before seq is left. */
struct mark {
	bool set;
	uint64_t seq;
	size_t before;
};

struct outqueue {
	struct pmap map;
	struct bucket_list announce;
	struct bucket withdraw[SESSION_N_AFI];
	struct bucket **hash;
	size_t hash_size, n_buckets, bytes;
	size_t count[SESSION_N_AFI];
	uint64_t seq;
	struct mark marks[SESSION_N_AFI][OUTQUEUE_N_MARKS];
};

static enum session_afi prefix_afi(const struct prefix *prefix)
{
	return prefix->addr.family == AF_INET ? SESSION_IPV4 : SESSION_IPV6;
}

static size_t prefix_bytes(const struct prefix *prefix)
{
	return 1 + (prefix->len + 7u) / 8;
}

struct outqueue *outqueue_new(void)
{
	struct outqueue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->hash = calloc(HASH_MIN, sizeof(struct bucket *));
	if (!queue->hash) {
		free(queue);
		return NULL;
	}
	queue->hash_size = HASH_MIN;
	pmap_init(&queue->map);
	TAILQ_INIT(&queue->announce);
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		TAILQ_INIT(&queue->withdraw[afi].entries);
		queue->withdraw[afi].afi = (enum session_afi)afi;
	}
	return queue;
}

static struct bucket **bucket_slot(struct outqueue *queue, const struct attrs *attrs)
{
	uint64_t h = (uint64_t)(uintptr_t)attrs * 0x9e3779b97f4a7c15;

	return &queue->hash[(h >> 32) & (queue->hash_size - 1)];
}

static struct bucket *bucket_find(struct outqueue *queue, const struct attrs *attrs,
				  enum session_afi afi)
{
	struct bucket *b;

	if (!attrs)
		return &queue->withdraw[afi];
	for (b = *bucket_slot(queue, attrs); b; b = b->hash_next)
		if (b->attrs == attrs && b->afi == afi)
			return b;
	return NULL;
}

static void bucket_link(struct outqueue *queue, struct bucket *bucket)
{
	struct bucket **slot = bucket_slot(queue, bucket->attrs);

	bucket->hash_next = *slot;
	*slot = bucket;
}

/* Failure is no harm: the chains get longer. */
static void hash_grow(struct outqueue *queue)
{
	struct bucket **hash, *b;

	if (queue->n_buckets < queue->hash_size)
		return;
	hash = calloc(2 * queue->hash_size, sizeof(struct bucket *));
	if (!hash)
		return;
	free(queue->hash);
	queue->hash = hash;
	queue->hash_size *= 2;
	TAILQ_FOREACH(b, &queue->announce, link)
		bucket_link(queue, b);
}

static struct bucket *bucket_new(struct outqueue *queue, const struct attrs *attrs,
				 enum session_afi afi)
{
	struct bucket *bucket = calloc(1, sizeof(*bucket));

	if (!bucket)
		return NULL;
	hash_grow(queue);
	TAILQ_INIT(&bucket->entries);
	bucket->attrs = attrs_get(attrs);
	bucket->afi = afi;
	bucket_link(queue, bucket);
	TAILQ_INSERT_TAIL(&queue->announce, bucket, link);
	queue->n_buckets++;
	return bucket;
}

/* An empty bucket has no reason to live, but for those of withdrawals. */
static void bucket_check(struct outqueue *queue, struct bucket *bucket)
{
	struct bucket **slot;

	if (!bucket->attrs || !TAILQ_EMPTY(&bucket->entries))
		return;
	slot = bucket_slot(queue, bucket->attrs);
	while (*slot != bucket)
		slot = &(*slot)->hash_next;
	*slot = bucket->hash_next;
	TAILQ_REMOVE(&queue->announce, bucket, link);
	queue->n_buckets--;
	attrs_put(bucket->attrs);
	free(bucket);
}

static void entry_leave_bucket(struct outqueue *queue, struct entry *entry)
{
	struct bucket *bucket = entry->bucket;

	TAILQ_REMOVE(&bucket->entries, entry, link);
	bucket_check(queue, bucket);
}

static void entry_join_bucket(struct entry *entry, struct bucket *bucket)
{
	entry->bucket = bucket;
	TAILQ_INSERT_TAIL(&bucket->entries, entry, link);
}

static struct entry *entry_new(struct outqueue *queue, const struct prefix *prefix)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	if (pmap_put(&queue->map, prefix, entry)) {
		free(entry);
		return NULL;
	}
	entry->prefix = *prefix;
	entry->seq = queue->seq++;
	queue->count[prefix_afi(prefix)]++;
	queue->bytes += prefix_bytes(prefix);
	return entry;
}

/* The entry left the queue; its bucket is the caller's matter. */
static void entry_done(struct outqueue *queue, struct entry *entry)
{
	enum session_afi afi = prefix_afi(&entry->prefix);

	for (int i = 0; i < OUTQUEUE_N_MARKS; i++) {
		struct mark *mark = &queue->marks[afi][i];

		if (mark->set && entry->seq < mark->seq)
			mark->before--;
	}
	queue->count[afi]--;
	queue->bytes -= prefix_bytes(&entry->prefix);
	pmap_del(&queue->map, &entry->prefix);
	free(entry);
}

int outqueue_put(struct outqueue *queue, const struct prefix *prefix, const struct attrs *attrs)
{
	enum session_afi afi = prefix_afi(prefix);
	struct entry *entry = pmap_get(&queue->map, prefix);
	struct bucket *bucket = bucket_find(queue, attrs, afi);

	if (!bucket)
		bucket = bucket_new(queue, attrs, afi);
	if (!bucket)
		return -ENOMEM;
	if (entry && entry->bucket == bucket)
		return 0;
	if (entry) {
		entry_leave_bucket(queue, entry);
	} else {
		entry = entry_new(queue, prefix);
		if (!entry) {
			bucket_check(queue, bucket);
			return -ENOMEM;
		}
	}
	entry_join_bucket(entry, bucket);
	return 0;
}

void outqueue_set_mark(struct outqueue *queue, enum session_afi afi, enum outqueue_mark mark)
{
	queue->marks[afi][mark] = (struct mark){
		.set = true, .seq = queue->seq, .before = queue->count[afi],
	};
}

bool outqueue_empty(const struct outqueue *queue)
{
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		if (queue->count[afi])
			return false;
		for (int i = 0; i < OUTQUEUE_N_MARKS; i++)
			if (queue->marks[afi][i].set)
				return false;
	}
	return true;
}

size_t outqueue_bytes(const struct outqueue *queue)
{
	return queue->bytes;
}

static bool mark_next(struct outqueue *queue, uint8_t *buf, size_t *len,
		      struct outqueue_sent *sent)
{
	struct cursor_out out = cursor_out_make(buf, BGP_MESSAGE_MAX);

	for (int i = 0; i < SESSION_N_AFI * OUTQUEUE_N_MARKS; i++) {
		enum session_afi afi = (enum session_afi)(i / OUTQUEUE_N_MARKS);
		struct mark *mark = &queue->marks[afi][i % OUTQUEUE_N_MARKS];

		if (!mark->set || mark->before)
			continue;
		mark->set = false;
		sent->afi = afi;
		sent->end_of_rib = i % OUTQUEUE_N_MARKS == OUTQUEUE_END_OF_RIB;
		sent->update = sent->end_of_rib;
		if (sent->end_of_rib)
			update_encode_end_of_rib(&out, afi);
		else
			message_refresh_encode(&out, afi, BGP_REFRESH_END);
		*len = out.len;
		return true;
	}
	return false;
}

static size_t bucket_write(struct outqueue *queue, struct bucket *bucket, struct update_writer *w)
{
	struct entry *entry;

	while ((entry = TAILQ_FIRST(&bucket->entries)) && update_add(w, &entry->prefix)) {
		TAILQ_REMOVE(&bucket->entries, entry, link);
		entry_done(queue, entry);
	}
	bucket_check(queue, bucket);
	return update_end(w);
}

/* The peer may hold an older state of these prefixes, which is not true any more. */
static void bucket_to_withdraw(struct outqueue *queue, struct bucket *bucket,
			       struct outqueue_sent *sent)
{
	struct bucket *withdraw = &queue->withdraw[bucket->afi];
	struct entry *entry;

	while ((entry = TAILQ_FIRST(&bucket->entries))) {
		TAILQ_REMOVE(&bucket->entries, entry, link);
		entry_join_bucket(entry, withdraw);
		sent->dropped++;
	}
	bucket_check(queue, bucket);
}

size_t outqueue_next(struct outqueue *queue, uint8_t *buf, const struct attr_peer *peer,
		     struct outqueue_sent *sent)
{
	struct update_writer w;
	struct bucket *bucket;
	size_t len;

	*sent = (struct outqueue_sent){ .update = true };
	for (;;) {
		if (mark_next(queue, buf, &len, sent))
			return len;
		bucket = NULL;
		for (int afi = 0; afi < SESSION_N_AFI && !bucket; afi++)
			if (!TAILQ_EMPTY(&queue->withdraw[afi].entries))
				bucket = &queue->withdraw[afi];
		if (!bucket)
			bucket = TAILQ_FIRST(&queue->announce);
		if (!bucket)
			return 0;
		sent->afi = bucket->afi;
		if (update_begin(&w, buf, peer, bucket->afi, bucket->attrs))
			return bucket_write(queue, bucket, &w);
		bucket_to_withdraw(queue, bucket, sent);
	}
}

void outqueue_clear(struct outqueue *queue)
{
	struct prefix key = { 0 };
	void *value;

	while (pmap_next(&queue->map, &key, &value)) {
		struct entry *entry = value;

		entry_leave_bucket(queue, entry);
		free(entry);
	}
	pmap_clear(&queue->map, NULL);
	queue->bytes = 0;
	for (int afi = 0; afi < SESSION_N_AFI; afi++) {
		queue->count[afi] = 0;
		for (int i = 0; i < OUTQUEUE_N_MARKS; i++)
			queue->marks[afi][i].set = false;
	}
}

void outqueue_free(struct outqueue *queue)
{
	if (!queue)
		return;
	outqueue_clear(queue);
	free(queue->hash);
	free(queue);
}
