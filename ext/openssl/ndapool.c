/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapool.h"

/* how many buffers may wait before the queue allocates */
#define N_QUEUED 16
/* alignment of the start that @n_prefix is counted from */
#define ALIGNMENT 16

struct _NdaPool
{
  GstBufferPool parent;

  gsize n_bytes;                /* [const] of a buffer */
  gsize n_prefix;               /* [const] before it */
  GstAtomicQueue *waiting;      /* [const] owned, like the buffers in it */
};

G_DEFINE_FINAL_TYPE (NdaPool, nda_pool, GST_TYPE_BUFFER_POOL);

static GstFlowReturn
nda_pool_alloc_buffer (GstBufferPool * pool, GstBuffer ** buffer,
    GstBufferPoolAcquireParams * unused)
{
  NdaPool *self = NDA_POOL (pool);
  GstAllocationParams params = {.prefix = self->n_prefix,.align = ALIGNMENT - 1
  };

  *buffer = gst_buffer_new_allocate (NULL, self->n_bytes, &params);
  return *buffer ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static GstFlowReturn
nda_pool_acquire_buffer (GstBufferPool * pool, GstBuffer ** buffer,
    GstBufferPoolAcquireParams * params)
{
  if (G_UNLIKELY (GST_BUFFER_POOL_IS_FLUSHING (pool)))
    return GST_FLOW_FLUSHING;
  *buffer = gst_atomic_queue_pop (NDA_POOL (pool)->waiting);
  return *buffer ? GST_FLOW_OK : nda_pool_alloc_buffer (pool, buffer, params);
}

static gboolean
nda_pool_remove_meta (GstBuffer * buffer, GstMeta ** meta, gpointer unused)
{
  GST_META_FLAG_UNSET (*meta, GST_META_FLAG_LOCKED);
  *meta = NULL;
  return TRUE;
}

static void
nda_pool_reset_buffer (GstBufferPool * pool, GstBuffer * buffer)
{
  GST_BUFFER_FLAGS (buffer) &= GST_BUFFER_FLAG_TAG_MEMORY;
  GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_NONE;
  GST_BUFFER_OFFSET_END (buffer) = GST_BUFFER_OFFSET_NONE;
  gst_buffer_foreach_meta (buffer, nda_pool_remove_meta, NULL);
}

/* Whether @buffer still has its one original memory; if so, it gets its full
 * size again. */
static gboolean
restore (NdaPool * self, GstBuffer * buffer)
{
  GstMemory *memory;

  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_TAG_MEMORY)
      || gst_buffer_n_memory (buffer) != 1)
    return FALSE;
  memory = gst_buffer_peek_memory (buffer, 0);
  if (!gst_memory_is_writable (memory))
    return FALSE;
  if (memory->size != self->n_bytes || memory->offset != self->n_prefix)
    gst_memory_resize (memory, (gssize) self->n_prefix
        - (gssize) memory->offset, self->n_bytes);
  return TRUE;
}

static void
nda_pool_release_buffer (GstBufferPool * pool, GstBuffer * buffer)
{
  NdaPool *self = NDA_POOL (pool);

  if (restore (self, buffer))
    gst_atomic_queue_push (self->waiting, buffer);
  else
    gst_buffer_unref (buffer);
}

static gboolean
nda_pool_start (GstBufferPool * pool)
{
  return TRUE;
}

static gboolean
nda_pool_stop (GstBufferPool * pool)
{
  GstBuffer *buffer;

  while ((buffer = gst_atomic_queue_pop (NDA_POOL (pool)->waiting)))
    gst_buffer_unref (buffer);
  return TRUE;
}

static void
nda_pool_finalize (GObject * object)
{
  nda_pool_stop (GST_BUFFER_POOL (object));
  gst_atomic_queue_unref (NDA_POOL (object)->waiting);
  G_OBJECT_CLASS (nda_pool_parent_class)->finalize (object);
}

static void
nda_pool_init (NdaPool * self)
{
  self->waiting = gst_atomic_queue_new (N_QUEUED);
}

static void
nda_pool_class_init (NdaPoolClass * class)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = nda_pool_finalize;
  pool_class->start = nda_pool_start;
  pool_class->stop = nda_pool_stop;
  pool_class->alloc_buffer = nda_pool_alloc_buffer;
  pool_class->acquire_buffer = nda_pool_acquire_buffer;
  pool_class->reset_buffer = nda_pool_reset_buffer;
  pool_class->release_buffer = nda_pool_release_buffer;
}

/* A pool, active, of buffers of @n_bytes, with @n_prefix bytes of room before
 * each (transfer full). */
GstBufferPool *
nda_pool_new (gsize n_bytes, gsize n_prefix)
{
  NdaPool *self = g_object_new (NDA_TYPE_POOL, NULL);
  GstBufferPool *pool = GST_BUFFER_POOL (gst_object_ref_sink (self));
  GstStructure *config = gst_buffer_pool_get_config (pool);

  self->n_bytes = n_bytes;
  self->n_prefix = n_prefix;
  gst_buffer_pool_config_set_params (config, NULL, n_bytes, 0, 0);
  if (!gst_buffer_pool_set_config (pool, config)
      || !gst_buffer_pool_set_active (pool, TRUE))
    g_assert_not_reached ();
  return pool;
}

/* Frees the pool. Buffers in use do not return to it. */
void
nda_pool_free (GstBufferPool * pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

/* A buffer, with its memory mapped; the room before it is writable too. */
GstFlowReturn
nda_pool_acquire (GstBufferPool * pool, GstBuffer ** buffer, GstMapInfo * map)
{
  GstFlowReturn flow = gst_buffer_pool_acquire_buffer (pool, buffer, NULL);

  if (flow == GST_FLOW_OK && !gst_memory_map (gst_buffer_peek_memory (*buffer,
              0), map, GST_MAP_WRITE))
    g_error ("system memory of a pool cannot be mapped");
  return flow;
}

/* Does the same without a pool. */
GstFlowReturn
nda_pool_acquire_alone (gsize n_bytes, gsize n_prefix, GstBuffer ** buffer,
    GstMapInfo * map)
{
  GstAllocationParams params = {.prefix = n_prefix,.align = ALIGNMENT - 1 };

  *buffer = gst_buffer_new_allocate (NULL, n_bytes, &params);
  if (!*buffer)
    return GST_FLOW_ERROR;
  if (!gst_memory_map (gst_buffer_peek_memory (*buffer, 0), map, GST_MAP_WRITE))
    g_error ("system memory cannot be mapped");
  return GST_FLOW_OK;
}

/* Unmaps; @n_used bytes of the memory are kept. */
void
nda_pool_unmap (GstMapInfo * map, gsize n_used)
{
  GstMemory *memory = map->memory;

  gst_memory_unmap (memory, map);
  if (n_used != memory->size)
    gst_memory_resize (memory, 0, n_used);
}
