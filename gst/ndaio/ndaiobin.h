/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The common part of ndasrc and ndasink: a bin around another element, its
 * child, which is a source or a sink of the application's choice.
 *
 *     ndasrc:   child ! convert ! resample ! last
 *     ndasink:  convert ! resample ! last ! child
 *
 * The child exists from READY on. Below READY, an element that the application
 * has given is in the bin, not linked, so that it and its children are found by
 * name. Pads inside that wait to be linked have plugs (ndaplug.h). The bin
 * makes the child as the properties say, links it, and reports its faults in
 * the bin's own words. It asks its device for periods of one block, compares
 * its clock with the pipeline's, and opens it again when its device is lost. A
 * subclass adds the properties, the element “last”, and the parts that only its
 * direction needs.
 *
 * THREADS. The application's threads change the state and set properties; any
 * thread may post messages; the streaming threads count in the meter. Vmethods
 * are called in a change of state, except take_message.
 *
 * LOCKS. The object lock guards settings. The meter and the loss have their own
 * locks. No lock is held while another object is called. */

#pragma once

#include "ndaclocks.h"
#include "ndaloss.h"
#include "ndameter.h"
#include "ndaplug.h"
#include "ndasetting.h"
#include "ndathreads.h"
#include "ndawatch.h"

G_BEGIN_DECLS

#define NDA_TYPE_IO_BIN (nda_io_bin_get_type ())
G_DECLARE_DERIVABLE_TYPE (NdaIoBin, nda_io_bin, NDA, IO_BIN, GstBin)

/* Facts about a subclass */
typedef struct
{
  const gchar *pad_name;        /* of the bin's only pad: “src” or “sink” */
  guint flag;                   /* GST_ELEMENT_FLAG_SOURCE or _SINK */
  guint rate;                   /* after resample; 0: downstream's choice */
  NdaSettingMaker maker;        /* gets the bin as its user_data */
  const gchar *stats_name;
  const NdaStatsField *stats_fields;    /* in NdaMeterCounters */
  const NdaLossHooks *loss_hooks;       /* get the bin as their user_data */
  /* Whether the device must give or take a buffer now. Called on the watch
   * thread, with the bin. */
  gboolean (*is_expecting) (gpointer bin);
  /* The error if there is no default device; translated when it is used */
  const gchar *no_device_text;
} NdaIoBinTraits;

struct _NdaIoBinClass
{
  GstBinClass parent_class;

  const NdaIoBinTraits *traits; /* [const] */

  /* Links @child to the elements of the bin, now or when its pads appear. */
  gboolean (*link_child) (NdaIoBin * bin, GstElement * child, GError ** error);
  /* May be NULL: @child has left the bin, and is in NULL. */
  void (*child_closed) (NdaIoBin * bin, GstElement * child);
  /* May be NULL: the child is open, and PAUSED comes next. */
  void (*prepare) (NdaIoBin * bin);
  /* May be NULL: handles a message from inside, and returns TRUE to drop it.
   * Any thread. */
  gboolean (*take_message) (NdaIoBin * bin, GstMessage * message);
};

/* The parts of a bin, for its subclass */
typedef struct
{
  GstElement *convert;          /* [const] a child: our first; or NULL */
  GstElement *resample;         /* [const] a child; or NULL */
  GError *missing;              /* [const] owned; why none; or NULL */
  NdaSetting setting;           /* [object lock] */
  GstElement *child;            /* [state change] owned; NULL below READY */
  GstElement *shown;            /* [state lock] owned; the setting's element,
                                 * in the bin below READY; or NULL */
  GPtrArray *plugs;             /* [state lock] owned; in its pads, or NULL */
  gboolean is_showing;          /* [state lock] it is being added */
  gint is_opening;              /* [atomic] drop the child's messages */
  NdaMeter meter;               /* has its own lock */
  NdaClocks clocks;             /* [object lock] */
  NdaLoss loss;                 /* has its own lock */
  NdaThreads threads;           /* has its own lock */
  NdaWatch watch;               /* has its own lock */
} NdaIoParts;

NdaIoParts *nda_io_bin_get_parts (NdaIoBin * bin);

/* Called in a subclass' init: makes the elements inside and the pad. @last
 * (floating) is the subclass' own element after the resampler. */
void nda_io_bin_fill (NdaIoBin * bin, GstElement * last);

/* The properties of both subclasses. A subclass installs them under these
 * numbers, with its own names, and numbers its other properties from N_PROPS
 * on. */
enum
{
  NDA_IO_BIN_PROP_ELEMENT = 1,
  NDA_IO_BIN_PROP_PLACE,
  NDA_IO_BIN_PROP_DEVICE,
  NDA_IO_BIN_PROP_DRIFT_COMPENSATION,
  NDA_IO_BIN_PROP_REALTIME,
  NDA_IO_BIN_PROP_STATS,
  NDA_IO_BIN_N_PROPS
};

/* For these properties; GObject does not inherit the two vmethods. */
void nda_io_bin_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec);
void nda_io_bin_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec);

G_END_DECLS
