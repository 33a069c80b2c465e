// Things of the engine that JavaScript knows by numbers, which are never used again.
#pragma once

#include <unordered_map>

namespace nanomsg_native
{

template <typename Thing, void (*release)(Thing *)> class Numbered
{
  public:
    int Add(Thing *thing)
    {
        things_[++last_] = thing;
        return last_;
    }

    // NULL when there is none (any more).
    Thing *Find(int number) const
    {
        const auto found = things_.find(number);
        return found != things_.end() ? found->second : nullptr;
    }

    void Remove(int number)
    {
        const auto found = things_.find(number);
        if (found == things_.end())
            return;
        release(found->second);
        things_.erase(found);
    }

    void Clear()
    {
        for (const auto &[number, thing] : things_)
            release(thing);
        things_.clear();
    }

  private:
    std::unordered_map<int, Thing *> things_;
    int last_ = 0;
};

} // namespace nanomsg_native
