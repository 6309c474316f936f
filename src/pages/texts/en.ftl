# The texts of the pages. English has all of them; other languages may lack some.

skip = Skip to the content
nav = Pages
languages = Languages
search = Search
search-hint = Pilots, cities, lessons …
footer = A registry of what cities lend each other, open to read for everybody.
footer-docs = Work with the registry
nav-cities = Cities
nav-pilots = Pilots
nav-hostings = Hostings
nav-partnerships = Partnerships
nav-reports = Reports
nav-docs = API
to-home = To the entrance
request-id = Request { $name }

all = All
narrow = Show
more-rows = Next rows
all-of-them = All { $shown }
yes = yes
no = no
not-stated = not stated

home-lead = Cities lend each other their smart-city pilots. This registry says who offers what, who hosts which pilot, and what came of it.
home-exchange = Who lends to whom
home-map = Pilots lent by one city and hosted by another, on a map of the world
home-ways = The ways with the most hostings
home-no-exchange = No exchange between cities is public yet.
home-states-heading = Where hostings are in their lives
home-states = Hostings by state, those in their own city included
home-offers = What is offered
home-categories = Pilots by kind of service
home-newest-heading = Registered last
home-newest = The hostings registered last
all-hostings = All hostings
all-exchanges = All exchanges
figure-exchanges = { $count ->
    [one] exchange between cities
   *[other] exchanges between cities
}
figure-live = { $count ->
    [one] hosting live now
   *[other] hostings live now
}
figure-pilots = { $count ->
    [one] pilot offered
   *[other] pilots offered
}
figure-cities = { $count ->
    [one] city
   *[other] cities
}
figure-partnerships = { $count ->
    [one] partnership
   *[other] partnerships
}

count-cities = { $count ->
    [one] { $shown } city
   *[other] { $shown } cities
}
count-pilots = { $count ->
    [one] { $shown } pilot
   *[other] { $shown } pilots
}
count-hostings = { $count ->
    [one] { $shown } hosting
   *[other] { $shown } hostings
}
count-partnerships = { $count ->
    [one] { $shown } partnership
   *[other] { $shown } partnerships
}

city = City
country = Country
population = Population
position = Position
timezone = Time zone
website = Website
cities-caption = Cities in order of name, with the pilots that they offer and host
pilots-offered = Pilots offered
hosted-here = Hosted here
hosted-elsewhere = Hosted in other cities
city-map = Pilots that { $name } lends and hosts, on a map of the world
figure-offered = { $count ->
    [one] pilot offered
   *[other] pilots offered
}
figure-here = { $count ->
    [one] hosting here
   *[other] hostings here
}
figure-abroad = { $count ->
    [one] hosting in another city
   *[other] hostings in other cities
}
no-pilots = No such pilots are public.
no-hostings = No such hostings are public.
no-hostings-of-pilot = No hosting of this pilot is public.

pilot = Pilot
the-pilot = the pilot itself
offered-by = Offered by
hosted-by = Hosted by
hostings = Hostings
state = State
when = When
since = since { $name }
until = until { $name }
planned-period = planned: { $name } – { $other }
planned-from = planned from { $name }
planned-until = planned until { $name }
pilots-caption = Pilots, the newest first
category = Kind of service
area = Field
areas = Fields
trl = Technology readiness level (1–9)
personal-data = Processes personal data
personal-data-unknown = not stated, which counts as yes
providers = Provided by
standards = Standards
ip-terms = Licence and terms
cost = Cost
hosted-where = Where it is hosted
applicability = Whether it fits other cities
applicability-caption = Whether the pilot fits other cities, as they see it now
all-assessments = All assessments
verdict = Verdict
reason = Reason
in-words = In words
assessed = Assessed

outcomes = Outcomes
outcomes-caption = Outcomes against their targets
all-outcomes = All outcomes
no-outcomes = No outcome is public yet.
no-outcome-reason = Why there is none with a baseline
indicator = Indicator
about = About
baseline = Baseline
latest = Latest
target = Last target
progress = Way to the target
stands = Stands

lessons = What was learned
evaluations-caption = Evaluations, the newest first
evaluation = Evaluated by
decision = Decision

hostings-caption = Hostings, the newest first
kind = Kind
at-home = Tested at home, in { $name }
from-to = Offered by { $name }, hosted by { $other }
suspended-from = was { $name }
proposed-by = Proposed by
lead = Lead
planned = Planned
actual = In fact
sites = Sites
scale = Scale
life = Its life
life-of = The life of this hosting of “{ $name }”
moves-caption = Its moves from state to state
no-moves = No moves are recorded: it was entered after the fact.
by = By
rules = Rules that it is held to
gate = Privacy assessment
gate-broken = no longer met: the assessment was revoked, or what is known of the pilot changed
gate-waived = excused, since the source says nothing of it
gate-ahead = asked for before it goes live, where personal data may be processed
gate-kept = no breach known
historical = Entered after the fact
historical-text = by an administrator, from a source
waived = Excused from
guard-lead = a lead organisation
guard-dates = planned dates
guard-start = the day it began
guard-end = the day it ended
guard-outcome = an outcome with a baseline
guard-decision = an evaluation with a decision
guard-consent = the consent of the other city
guard-privacy = an approved privacy assessment
guard-reason = a reason

partnership = Partnership
partnerships-caption = Partnerships, the newest first
since-when = Since
programme = Programme
initiatives = What they mean to do
initiative = Initiative
initiatives-caption = Initiatives, in the order in which they were registered
no-initiatives = No initiative is registered.
all-initiatives = All initiatives
direction = Direction
mutual = mutual
stage = Stage
activities = When they met
activity = Activity
activities-caption = Meetings, visits and events in order of time
activities-chart = Meetings, visits and events on an axis of time
no-activities = No meeting is registered.
all-activities = All activities
agreements = What they put in writing
agreement = Agreement
agreements-caption = Agreements of their initiatives
no-agreements = No agreement is public.
signed = Signed

search-words = Words to look for
search-hits = Found
search-narrow = Narrow by
search-nothing = Nothing that is public has these words.
search-fuzzy = Nothing has exactly these words; these are spelled alike.
search-estimated = There are so many hits that these figures count only some of them.
search-without = { $name } ✕
search-more = More, as JSON

chart-baseline = baseline
chart-target = target
chart-provisional = not yet verified
chart-open = goes on
chart-cut = There is more than can be drawn here; the table leads to all of it.
chart-nothing = There is nothing to draw.

hosting-status-proposed = proposed
hosting-status-agreed = agreed
hosting-status-preparing = preparing
hosting-status-live = live
hosting-status-suspended = suspended
hosting-status-evaluating = evaluating
hosting-status-closed = closed
hosting-status-cancelled = cancelled
hosting-kind-home-test = tested at home
hosting-kind-exchange = exchange
pilot-status-idea = idea
pilot-status-in-test = under test
pilot-status-operational = in operation
pilot-status-retired = retired
verdict-applicable = fits as it is
verdict-with-changes = fits with changes
verdict-not-readily-applicable = does not readily fit
verdict-unknown = not known
stage-exploring = exploring
stage-negotiating = negotiating
stage-agreed = agreed
stage-in-progress = in progress
stage-done = done
stage-declined = declined
stage-on-hold = on hold
initiative-kind-pilot-exchange = exchange of pilots
initiative-kind-information-exchange = exchange of information
initiative-kind-experience-exchange = exchange of experience
initiative-kind-benchmarking = benchmarking
initiative-kind-model-transfer = transfer of a model
initiative-kind-research-collaboration = research together
initiative-kind-event-hosting = hosting of an event
partnership-status-forming = forming
partnership-status-active = active
partnership-status-dormant = dormant
partnership-status-ended = ended
agreement-kind-mou = memorandum of understanding
agreement-kind-letter-of-intent = letter of intent
agreement-kind-collaboration = collaboration agreement
agreement-kind-data-sharing = data sharing agreement
agreement-kind-contract = contract
agreement-status-interest = interest
agreement-status-drafting = being drafted
agreement-status-signed = signed
agreement-status-in-force = in force
agreement-status-expired = expired
agreement-status-terminated = terminated
activity-kind-plenary = plenary
activity-kind-meeting = meeting
activity-kind-working-meeting = working meeting
activity-kind-site-visit = site visit
activity-kind-delegation = visit of a delegation
activity-kind-workshop = workshop
activity-kind-event = event
decision-scale = extend it
decision-adapt = go on in another form
decision-continue-pilot = go on as a pilot
decision-stop = stop
decision-inconclusive = not enough is known
evaluation-kind-self = the host itself
evaluation-kind-peer = another city
evaluation-kind-external = a verifier
lesson-enabler = What helped
lesson-barrier = What stood in the way
lesson-tip = Advice
progress-achieved = achieved
progress-on-track = on track
progress-at-risk = at risk
progress-off-track = off track
progress-no-data = cannot be told
no-progress-no-baseline = no baseline
no-progress-no-target = no target
no-progress-no-actual = no observation yet
no-progress-target-equals-baseline = target equals baseline
no-progress-qualitative = told in words
no-progress-hold = to be held
collection-cities = Cities
collection-organisations = Organisations
collection-programmes = Programmes
collection-documents = Documents
collection-pilots = Pilots
collection-needs = Needs
collection-applicability = Applicability
collection-partnerships = Partnerships
collection-initiatives = Initiatives
collection-activities = Activities
collection-agreements = Agreements
collection-hostings = Hostings
collection-indicators = Indicators
collection-evaluations = Evaluations
facet-type = Kind of record
facet-city = City
facet-country = Country
facet-area = Field
facet-category = Kind of service
facet-status = State
report = Report
report-says = What it says
reports-lead = Figures over many records. Every figure leads to the records behind it; every report can be had as a file.
report-city = City (UN/LOCODE)
report-files = As a file
no-rows = There are no records to report on.
all-rows = All { $shown } rows as CSV
report-record = Record
report-open = open
